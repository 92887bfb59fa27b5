/* Requests of the control socket: their members and limits, and any bytes at all. */
#include "control/request.h"

#include "../base/dice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FUZZ_ROUNDS 50000
#define MAX_WORD 64 /* as MAX_QUOTED_NAME in request.c */

/* Reads a request that is good. The caller clears it. */
static struct request read_good(const char *line)
{
	struct request o;
	struct error err = { 0 };

	if (request_read(&o, line, strlen(line), &err) != 0)
		fail_msg("%s: %s", line, err.text);
	return o;
}

static void expect_bad(const char *line, size_t length, const char *text)
{
	struct request o;
	struct error err = { 0 };

	assert_int_equal(request_read(&o, line, length, &err), -1);
	assert_string_equal(err.text, text);
	assert_int_equal(err.status, STATUS_USAGE);
	error_clear(&err);
	request_clear(&o);
}

static void test_members(void **state)
{
	struct request o =
	    read_good("{\"id\":\"a\\u0020b\",\"cmd\":\"wait-for\",\"text\":\"x\\ny\","
		      "\"timeout\":1.5,\"backlog\":true}");

	(void)state;
	assert_int_equal(o.type, REQUEST_WAIT_FOR);
	assert_string_equal(o.id, "\"a\\u0020b\"");
	assert_string_equal(o.text, "x\ny");
	assert_int_equal(o.text_length, 3);
	assert_int_equal(o.timeout_ms, 1500);
	assert_true(o.backlog);
	assert_int_equal(o.from, -1);
	request_clear(&o);
	o = read_good(" {\"cmd\":\"events\", \"from\": 9007199254740993, \"id\":-1e5 }\r");
	assert_true(o.from == 9007199254740993);
	assert_string_equal(o.id, "-1e5");
	assert_int_equal(o.timeout_ms, -1);
	request_clear(&o);
	o = read_good("{\"cmd\":\"status\",\"id\":123456789012345678901234567890}");
	assert_string_equal(o.id, "123456789012345678901234567890");
	request_clear(&o);
	o = read_good("{\"cmd\":\"reboot\"}");
	assert_null(o.id);
	assert_null(o.target);
	request_clear(&o);
}

/* An answer has the id even if the rest of the request is wrong. */
static void test_id_of_a_bad_one(void **state)
{
	static const char line[] = "{\"cmd\":7,\"id\":[],\"id2\":{\"id\":5}}";
	static const char good[] = "{\"x\":{\"id\":5},\"cmd\":\"no\",\"id\":6}";
	struct error err = { 0 };
	struct request o;

	(void)state;
	expect_bad(line, strlen(line), "id: expected a number or a string, of at most 256 bytes");
	assert_int_equal(request_read(&o, good, strlen(good), &err), -1);
	assert_string_equal(o.id, "6");
	error_clear(&err);
	request_clear(&o);
}

static void test_bytes(void **state)
{
	static const char nul[] = "{\"cmd\":\"status\"\0}", in_text[] = "{\"cmd\":\"sta\0tus\"}";

	(void)state;
	expect_bad(nul, sizeof(nul) - 1,
	    "not JSON: column 16: expected a comma or the end of the container");
	expect_bad(in_text, sizeof(in_text) - 1, "not JSON: column 12: a NUL byte in a string");
	expect_bad("", 0, "not JSON: column 1: the text is empty");
	expect_bad("[[[[", 4, "not JSON: column 5: unexpected end of the text");
}

/* Returns a string of this length.  Caller frees. */
static char *letters(size_t n)
{
	char *text = mem_zero(n + 1);

	memset(text, 'x', n);
	return text;
}

/* The limit counts the quotes and escapes of an id, because it is answered as it was written. */
static void test_longest_id(void **state)
{
	MEM_AUTO char *text = letters(MAX_REQUEST_ID - 8);
	MEM_AUTO char *good = mem_format("{\"id\":\"\\u0041%s\",\"cmd\":\"status\"}", text),
		      *bad = mem_format("{\"id\":\"\\u0041%sx\",\"cmd\":\"status\"}", text);
	struct request o = read_good(good);

	(void)state;
	assert_int_equal(strlen(o.id), 256);
	request_clear(&o);
	expect_bad(bad, strlen(bad), "id: expected a number or a string, of at most 256 bytes");
}

/* The limit counts the bytes of a text, not those of its escapes. */
static void test_longest_text(void **state)
{
	static const char empty[] = "{\"cmd\":\"wait-for\",\"text\":\"\"}";
	MEM_AUTO char *text = letters(MAX_REQUEST_TEXT - 1);
	MEM_AUTO char *good = mem_format("{\"cmd\":\"wait-for\",\"text\":\"%s\\u0041\"}", text),
		      *bad = mem_format("{\"cmd\":\"wait-for\",\"text\":\"%s\\u00e9\"}", text);
	struct request o = read_good(good);

	(void)state;
	assert_int_equal(o.text_length, 4096);
	request_clear(&o);
	expect_bad(bad, strlen(bad), "text: expected 1 to 4096 bytes, got 4097");
	o = read_good("{\"cmd\":\"wait-for\",\"text\":\"x\"}");
	request_clear(&o);
	expect_bad(empty, strlen(empty), "text: expected 1 to 4096 bytes, got 0");
}

static void expect_bad_timeout(const char *seconds)
{
	MEM_AUTO char *line =
	    mem_format("{\"cmd\":\"wait\",\"gone\":true,\"timeout\":%s}", seconds);
	MEM_AUTO char *why =
	    mem_format("timeout: expected 0 to 1000000000 seconds, got %s", seconds);

	expect_bad(line, strlen(line), why);
}

static void test_longest_timeout(void **state)
{
	struct request o = read_good("{\"cmd\":\"wait\",\"gone\":true,\"timeout\":1000000000}");

	(void)state;
	assert_int_equal(o.timeout_ms, MAX_REQUEST_SECONDS * INT64_C(1000));
	request_clear(&o);
	o = read_good("{\"cmd\":\"wait\",\"gone\":true,\"timeout\":0}");
	assert_int_equal(o.timeout_ms, 0);
	request_clear(&o);
	expect_bad_timeout("1000000001");
	expect_bad_timeout("1000000000.5");
	expect_bad_timeout("-0.5");
}

static void expect_bad_from(const char *number, const char *text)
{
	MEM_AUTO char *line = mem_format("{\"cmd\":\"events\",\"from\":%s}", number);

	expect_bad(line, strlen(line), text);
}

/* A number that does not fit is told as a number, however it is written. */
static void test_numbers_out_of_range(void **state)
{
	static const char *const whole[][2] = { { "17.0", "17" }, { "1e3", "1000" }, { "0.0", "0" },
		{ "-0.0", "0" }, { "9223372036854775807", "9223372036854775807" } };

	(void)state;
	expect_bad_from("1e20", "from: expected 0 to 9223372036854775807, got 1e+20");
	expect_bad_from("100000000000000000000",
	    "from: expected 0 to 9223372036854775807, got 100000000000000000000");
	expect_bad_from("9223372036854775808",
	    "from: expected 0 to 9223372036854775807, got 9223372036854775808");
	expect_bad_from("-1", "from: expected 0 to 9223372036854775807, got -1");
	expect_bad_from("-1e20", "from: expected 0 to 9223372036854775807, got -1e+20");
	expect_bad_from(
	    "1.5", "from: expected a whole number, got a number that is not an integer");
	expect_bad_from("\"1\"", "from: expected a whole number, got a string");
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		MEM_AUTO char *line = mem_format("{\"cmd\":\"events\",\"from\":%s}", whole[i][0]);
		struct request o = read_good(line);

		assert_true(o.from == strtoll(whole[i][1], NULL, 10));
		request_clear(&o);
	}
	expect_bad_timeout("100000000000000000000");
	expect_bad_timeout("1e+20");
}

/* Digits that int64_t cannot hold are no string. */
static void test_wide_integers(void **state)
{
	static const char *const lines[][2] = {
		{ "{\"cmd\":100000000000000000000}",
		    "cmd: expected a string, got an integer that is too large" },
		{ "{\"cmd\":\"next\",\"target\":100000000000000000000}",
		    "target: expected a string, got an integer that is too large" },
		{ "{\"cmd\":\"stop\",\"wait\":100000000000000000000}",
		    "wait: expected true or false, got an integer that is too large" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect_bad(lines[i][0], strlen(lines[i][0]), lines[i][1]);
}

/* A client's word in a request, and in the error about it. */
static const struct {
	const char *before, *after, *error_before, *error_after;
} words[] = {
	{ "{\"cmd\":\"", "\"}", "unknown command \"", "\"" },
	{ "{\"cmd\":\"status\",\"", "\":1}", "status: unknown member \"", "\"" },
	{ "{\"cmd\":\"wait\",\"state\":\"", "\"}", "state: unknown state \"",
	    "\": expected waiting, loading, running, stopping, backoff or given_up" },
};

/* An error repeats a limited number of bytes of a word. */
static void test_longest_word(void **state)
{
	MEM_AUTO char *word = letters(MAX_WORD), *longer = letters(MAX_WORD + 1);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(words) / sizeof(words[0]); i++) {
		MEM_AUTO char *line = mem_format("%s%s%s", words[i / 2].before,
				  i % 2 == 0 ? word : longer, words[i / 2].after),
			      *said = mem_format("%s%s%s", words[i / 2].error_before, word,
				  words[i / 2].error_after);

		expect_bad(line, strlen(line), said);
	}
}

static const char *const samples[] = {
	"{\"id\":1,\"cmd\":\"status\"}",
	"{\"id\":\"x\",\"cmd\":\"wait-for\",\"text\":\"\\u00e9\",\"timeout\":1.25}",
	"{\"cmd\":\"wait\",\"state\":\"running\",\"timeout\":3}",
	"{\"cmd\":\"wait\",\"gone\":true}",
	"{\"cmd\":\"events\",\"from\":17}",
	"{\"cmd\":\"console\",\"write\":true}",
	"{\"cmd\":\"next\",\"target\":\"install\"}",
};

/* Makes a line: a good one with some bytes changed, removed or doubled, or random bytes. */
static size_t make(struct dice *dice, char *line, size_t room)
{
	const char *sample = samples[dice_roll(dice, sizeof(samples) / sizeof(samples[0]))];
	size_t n = strlen(sample);

	if (dice_roll(dice, 4) == 0) {
		n = dice_roll(dice, (unsigned)room);
		for (size_t i = 0; i < n; i++)
			line[i] = (char)dice_roll(dice, 256);
		return n;
	}
	(void)snprintf(line, room, "%s", sample);
	for (unsigned times = dice_roll(dice, 6); times > 0 && n > 2; times--) {
		size_t at = dice_roll(dice, (unsigned)n - 1),
		       length = 1 + dice_roll(dice, (unsigned)(n - at) - 1);

		switch (dice_roll(dice, 3)) {
		case 0:
			line[at] = dice_roll(dice, 2) == 0 ? (char)dice_roll(dice, 256)
							   : "{}[]\":,0e.\\"[dice_roll(dice, 11)];
			break;
		case 1:
			memmove(line + at, line + at + length, n - at - length);
			n -= length;
			break;
		default:
			if (n + length > room)
				break;
			memmove(line + at + length, line + at, n - at);
			n += length;
		}
	}
	return n;
}

static void test_any_bytes(void **state)
{
	size_t good = 0, bad = 0;
	struct dice dice;

	(void)state;
	dice_start(&dice, 1);
	for (int i = 0; i < FUZZ_ROUNDS; i++) {
		char line[512];
		size_t n = make(&dice, line, sizeof(line));
		char *exact = malloc(n + 1); /* so that a sanitizer sees a byte too far */
		struct error err = { 0 };
		struct request o;

		assert_non_null(exact);
		memcpy(exact, line, n);
		if (request_read(&o, exact, n, &err) == 0) {
			assert_null(err.text);
			good++;
		} else {
			assert_non_null(err.text);
			bad++;
		}
		error_clear(&err);
		request_clear(&o);
		free(exact);
	}
	print_message("%zu good, %zu bad\n", good, bad);
	assert_true(good > 100 && bad > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_id_of_a_bad_one),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_longest_id),
		cmocka_unit_test(test_longest_text),
		cmocka_unit_test(test_numbers_out_of_range),
		cmocka_unit_test(test_wide_integers),
		cmocka_unit_test(test_longest_timeout),
		cmocka_unit_test(test_longest_word),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
