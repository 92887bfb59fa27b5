/* Strings, dates, nearest words, pairs, errors, SHA-1. */
#include "dice.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/pairs.h"
#include "base/sha1.h"
#include "base/str.h"

static void test_str(void **state)
{
	struct str s = { 0 };
	char *text = str_take(&s);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	for (int i = 0; i < 1000; i++)
		str_addf(&s, "%d", i % 10);
	str_add_n(&s, "a\0b", 3);
	str_add_n(&s, "", 0);
	assert_int_equal(s.length, 1003);
	assert_memory_equal(s.text + 998, "89a\0b", 6);
	text = str_take(&s);
	assert_null(s.text);
	free(text);
	str_add(&s, "x");
	str_free(&s);
	str_free(&s);
	assert_int_equal(s.length, 0);
}

static void test_json_quotes(void **state)
{
	struct str s = { 0 };

	(void)state;
	str_add_json(&s, "");
	str_add_json(&s, "a\"b\\c/\n\t\r\x01\x7f\xc3\xa4");
	assert_string_equal(s.text, "\"\"\"a\\\"b\\\\c/\\n\\t\\u000d\\u0001\\u007f\xc3\xa4\"");
	str_free(&s);
}

/* Bytes that are not UTF-8 are replaced one by one; a character beside them is not changed. */
static void test_utf8(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "a\x01\x7f~", "a\x01\x7f~" },
		{ "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf" },
		{ "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80", "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80" },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "\x80x", "?x" },
		{ "x\xff", "x?" },
		{ "\xc0\xaf", "??" }, /* overlong */
		{ "\xc1\xbf", "??" },
		{ "\xe0\x9f\xbf", "???" }, /* overlong */
		{ "\xed\xa0\x80", "???" }, /* half of a surrogate pair */
		{ "\xf0\x8f\xbf\xbf", "????" },
		{ "\xf4\x90\x80\x80", "????" }, /* beyond U+10FFFF */
		{ "\xf5", "?" },
		{ "\xe2\x82\"", "??\"" }, /* incomplete */
		{ "\xe2\x82\xe2\x82\xac", "??\xe2\x82\xac" },
		{ "\xf0\x9f\x98", "???" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str got = { 0 }, wanted = { 0 };

		for (const char *p = rows[i][1]; *p != '\0'; p++) {
			if (*p == '?')
				str_add(&wanted, "\xef\xbf\xbd");
			else
				str_add_n(&wanted, p, 1);
		}
		str_add_utf8(&got, rows[i][0]);
		str_add(&wanted, "");
		assert_string_equal(got.text, wanted.text);
		str_free(&got);
		str_add(&got, rows[i][0]);
		str_make_utf8(&got);
		assert_string_equal(got.text, wanted.text);
		assert_int_equal(got.length, strlen(wanted.text));
		str_free(&got);
		str_free(&wanted);
	}
}

enum { LONG_TEXT = 35 }; /* bytes: some words of eight, and a rest */

/* Fills a text with letters but for one byte, and returns the part behind that. */
static const char *fill(char text[LONG_TEXT + 1], size_t at, char byte)
{
	memset(text, 'a', LONG_TEXT);
	text[LONG_TEXT] = '\0';
	text[at] = byte;
	return text + at + 1;
}

/* A byte is escaped, or is not, wherever it stands. */
static void test_json_of_each_byte(void **state)
{
	char text[LONG_TEXT + 1];

	(void)state;
	for (size_t at = 0; at < LONG_TEXT; at++) {
		for (int byte = 1; byte <= UINT8_MAX; byte++) {
			const char *rest = fill(text, at, (char)byte);
			char one[] = { (char)byte, '\0' };
			struct str got = { 0 }, escaped = { 0 }, wanted = { 0 };

			str_add_json(&escaped, one);
			str_addf(&wanted, "\"%.*s%.*s%s\"", (int)at, text, (int)escaped.length - 2,
			    escaped.text + 1, rest);
			str_add_json(&got, text);
			assert_string_equal(got.text, wanted.text);
			assert_int_equal(escaped.length == 3,
			    byte >= 0x20 && byte != 0x7f && byte != '"' && byte != '\\');
			str_free(&got);
			str_free(&escaped);
			str_free(&wanted);
		}
	}
}

static void test_utf8_at_each_place(void **state)
{
	char text[LONG_TEXT + 1];

	(void)state;
	for (size_t at = 0; at < LONG_TEXT; at++) {
		const char *rest = fill(text, at, '\x80');
		struct str got = { 0 }, wanted = { 0 };

		str_addf(&wanted, "%.*s\xef\xbf\xbd%s", (int)at, text, rest);
		str_add(&got, text);
		str_make_utf8(&got);
		assert_string_equal(got.text, wanted.text);
		str_free(&got);
		str_free(&wanted);
	}
}

static void check_number(int64_t number, const char *text)
{
	struct str s = { 0 };

	str_add_int(&s, number);
	assert_string_equal(s.text, text);
	str_free(&s);
}

static void check_seconds(int64_t ms, const char *text)
{
	struct str s = { 0 };

	str_add_seconds(&s, ms);
	assert_string_equal(s.text, text);
	str_free(&s);
}

static void test_numbers(void **state)
{
	(void)state;
	check_number(0, "0");
	check_number(-10, "-10");
	check_number(INT64_MAX, "9223372036854775807");
	check_number(INT64_MIN, "-9223372036854775808");
	check_seconds(0, "0.0 s");
	check_seconds(49, "0.0 s");
	check_seconds(50, "0.1 s");
	check_seconds(949, "0.9 s");
	check_seconds(950, "1.0 s");
	check_seconds(61234, "61.2 s");
}

static void test_utf8_of_nothing(void **state)
{
	struct str s = { 0 };

	(void)state;
	str_make_utf8(&s);
	assert_int_equal(s.length, 0);
}

static void json_quotes_are_whole(struct str *json, const char *text, size_t length)
{
	str_add_json(json, text);
	assert_int_equal(json->length, length);
	assert_int_equal(strlen(json->text), length);
	assert_int_equal(json->text[length - 1], '"');
	str_free(json);
}

/* A text of any length is quoted in the room that there is. */
static void test_json_quotes_of_any_length(void **state)
{
	struct str text = { 0 }, json = { 0 };

	(void)state;
	for (size_t n = 0; n < 300; n++) {
		size_t escapes = n / 3;

		json_quotes_are_whole(&json, text.text == NULL ? "" : text.text, n + 2 + escapes);
		str_add_char(&text, n % 3 == 2 ? '"' : 'x');
	}
	str_free(&text);
}

static void test_dates(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1009, "1970-01-01T00:00:01.009Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1796083322120, "2026-12-01T00:02:02.120Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ 253402300800000, "0000-00-00T00:00:00.000Z" },
		{ INT64_MAX, "0000-00-00T00:00:00.000Z" },
		{ -1, "0000-00-00T00:00:00.000Z" },
	};
	char text[DATE_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(date_text(rows[i].ms, text), rows[i].text);
}

static void test_shell_quotes(void **state)
{
	static const struct {
		const char *text, *quoted;
	} rows[] = {
		{ "", "''" },
		{ "a", "a" },
		{ "-s", "-s" },
		{ "3:0,x=/a-b_c.d%+@", "3:0,x=/a-b_c.d%+@" },
		{ "a b", "'a b'" },
		{ "'", "''\\'''" },
		{ "~", "'~'" },
		{ "a\nb", "'a\nb'" },
		{ "\xc3\xa4", "'\xc3\xa4'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str s = { 0 };

		str_add_quoted(&s, rows[i].text);
		assert_string_equal(s.text, rows[i].quoted);
		str_free(&s);
	}
}

static void line_is(const char *text, size_t most, const char *wanted)
{
	struct str s = { 0 };

	str_add(&s, ">");
	str_add_line(&s, text, most);
	assert_string_equal(s.text + 1, wanted);
	str_free(&s);
}

static void test_line_of_a_text(void **state)
{
	(void)state;
	line_is("", 9, "");
	line_is(" \n\t\x01\x7f ", 9, "");
	line_is("one", 3, "one");
	line_is("\n one\r\n\ttwo\x1b[1m\n", 99, "one two [1m");
	line_is("one two", 5, "one t...");
	line_is("one two", 4, "one ...");
	line_is("one  \n", 3, "one");
	line_is("one", 0, "...");
	line_is("a\xe2\x98\x83", 4, "a\xe2\x98\x83");
	line_is("a\xe2\x98\x83 b", 5, "a\xe2\x98\x83 ...");
	line_is("a\xe2\x98\x83", 3, "a...");
	line_is("a\xe2\x98\x83", 2, "a...");
	line_is("a\xe2\x98\x83", 1, "a...");
	line_is("\x83\x83\x83", 2, "...");
}

static void last_line_is(const char *text, size_t n, const char *trim, const char *wanted)
{
	MEM_AUTO char *line = str_last_line(text, n, trim);

	if (wanted == NULL)
		assert_null(line);
	else
		assert_string_equal(line, wanted);
}

static void test_last_line(void **state)
{
	(void)state;
	last_line_is("", 0, "\n", NULL);
	last_line_is("\n\n", 2, "\n", NULL);
	last_line_is("one", 3, "\n", "one");
	last_line_is("one\ntwo\n\n", 9, "\n", "two");
	last_line_is("one\ntwo\n\n", 5, "\n", "t");
	last_line_is("one\n two \r\n", 11, "\n", " two \r");
	last_line_is("one\n two \r\n", 11, " \t\r\n", " two");
	last_line_is("one\n \t", 6, " \t\r\n", "one");
	last_line_is("one\n\0", 5, "\n", "one");
	last_line_is("\0", 1, "\n", NULL);
}

static void test_continuation(void **state)
{
	(void)state;
	assert_true(str_is_continuation('\x80'));
	assert_true(str_is_continuation('\xbf'));
	assert_false(str_is_continuation('\x7f'));
	assert_false(str_is_continuation('\xc0'));
	assert_false(str_is_continuation('\0'));
}

static void near_is(const char *wanted, const char *const *known, const char *best)
{
	struct near n = { .wanted = wanted };

	for (size_t i = 0; known[i] != NULL; i++)
		near_offer(&n, known[i]);
	MEM_AUTO char *hint = near_hint(&n);
	MEM_AUTO char *expected =
	    best == NULL ? mem_copy("") : mem_format(", did you mean \"%s\"?", best);

	assert_string_equal(hint, expected);
}

static void test_near(void **state)
{
	static const char *const keys[] = { "bootrom", "mem", "name", "com1", "com2", "hostbridge",
		"", NULL };
	char longest[80];

	(void)state;
	near_is("bootRom", keys, "bootrom");
	near_is("botroom", keys, "bootrom");
	near_is("bootrmo", keys, "bootrom");
	near_is("MEM", keys, "mem");
	near_is("nmae", keys, "name");
	near_is("com3", keys, "com1"); /* the first of two that are equally near */
	near_is("hostbrigde", keys, "hostbridge");
	near_is("memory", keys, NULL);
	near_is("x", keys, NULL);
	near_is("", keys, NULL);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	near_is(longest, keys, NULL);
	longest[MAX_NEAR_WORD + 1] = '\0';
	near_is(longest, (const char *[]){ longest, NULL }, NULL);
	longest[MAX_NEAR_WORD] = '\0';
	near_is(longest, (const char *[]){ longest, NULL }, longest);
}

/* A word with one mistake is near to the word without, and nearness is symmetric. */
static void test_near_random(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 500; seed++) {
		char word[] = "hostbridge_slot", typo[sizeof(word)];
		const char *const known[] = { word, NULL };
		struct dice d;
		unsigned at;

		dice_start(&d, seed);
		memcpy(typo, word, sizeof(word));
		at = dice_roll(&d, sizeof(word) - 2);
		if (dice_roll(&d, 2) == 0) {
			typo[at] = word[at + 1];
			typo[at + 1] = word[at];
		} else {
			typo[at] = '#';
		}
		near_is(typo, known, word);
	}
}

static void test_pairs(void **state)
{
	struct pairs p = { 0 };

	(void)state;
	assert_null(pairs_get(&p, "a"));
	pairs_add(&p, "b", "1");
	pairs_addf(&p, "a", "%d,%s", 2, "x");
	pairs_add(&p, "b", "3");
	assert_int_equal(p.count, 3);
	assert_string_equal(p.item[0].key, "b");
	assert_string_equal(pairs_get(&p, "a"), "2,x");
	assert_string_equal(pairs_get(&p, "b"), "1");
	assert_null(pairs_get(&p, "c"));
	pairs_free(&p);
	pairs_free(&p);
	assert_int_equal(p.count, 0);
}

static void test_error(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_set(&err, STATUS_SPEC, "no %s", "disk"), -1);
	assert_int_equal(error_set(&err, STATUS_OS, "second"), -1);
	assert_int_equal(error_prefix(&err, "vm %d", 1), -1);
	assert_string_equal(err.text, "vm 1: no disk");
	assert_int_equal(err.status, STATUS_SPEC);
	error_clear(&err);
	assert_null(err.text);
	assert_int_equal(err.status, STATUS_OK);
	error_clear(&err);
}

static void digest_is(const char *data, size_t size, const char *hex)
{
	uint8_t digest[SHA1_SIZE];
	struct str s = { 0 };

	sha1(data, size, digest);
	for (size_t i = 0; i < SHA1_SIZE; i++)
		str_addf(&s, "%02x", digest[i]);
	assert_string_equal(s.text, hex);
	str_free(&s);
}

/* The vectors of RFC 3174, section 7.3, and the lengths around a block's end. */
static void test_sha1(void **state)
{
	static const char test2[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static const char test4[] = "01234567012345670123456701234567"
				    "01234567012345670123456701234567";
	struct str s = { 0 };
	char block[128];

	(void)state;
	digest_is("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	digest_is("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
	digest_is(test2, sizeof(test2) - 1, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	for (int i = 0; i < 1000000; i++)
		str_add_n(&s, "a", 1);
	digest_is(s.text, s.length, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	str_free(&s);
	for (int i = 0; i < 10; i++)
		str_add(&s, test4);
	digest_is(s.text, s.length, "dea356a2cddd90c7a7ecedc5ebb563934f460452");
	str_free(&s);
	memset(block, 'a', sizeof(block));
	digest_is(block, 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a");
	digest_is(block, 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699");
	digest_is(block, 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5");
	digest_is(block, 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d");
	digest_is(block, 65, "11655326c708d70319be2610e8a57d9a5b959d3b");
	digest_is(block, 128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0");
}

static void test_text_behind_a_prefix(void **state)
{
	static const char text[] = "tcp=host";

	(void)state;
	assert_ptr_equal(str_after(text, "tcp="), text + 4);
	assert_ptr_equal(str_after(text, ""), text);
	assert_string_equal(str_after(text, text), "");
	assert_null(str_after(text, "tcp:"));
	assert_null(str_after(text, "cp="));
	assert_null(str_after(text, "tcp=host:"));
	assert_null(str_after("", "t"));
	assert_string_equal(str_after("", ""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_str),
		cmocka_unit_test(test_json_quotes),
		cmocka_unit_test(test_json_quotes_of_any_length),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_json_of_each_byte),
		cmocka_unit_test(test_utf8_at_each_place),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_utf8_of_nothing),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_shell_quotes),
		cmocka_unit_test(test_line_of_a_text),
		cmocka_unit_test(test_last_line),
		cmocka_unit_test(test_continuation),
		cmocka_unit_test(test_text_behind_a_prefix),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_near_random),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_sha1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
