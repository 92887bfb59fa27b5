/* A line of the history: its members, and output of guests in it. */
#include "ledger/history_line.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static void test_members(void **state)
{
	struct history_line line = HISTORY_LINE;
	MEM_AUTO char *none = history_line_json(&line);
	MEM_AUTO char *all = NULL;

	(void)state;
	assert_string_equal(none,
	    "{\"v\":1,\"time\":\"1970-01-01T00:00:00.000Z\",\"kind\":\"boot\",\"boot\":null,"
	    "\"target\":null,\"cause\":null,\"status\":null,\"signal\":null,\"uptime_ms\":null,"
	    "\"ended_by\":null,\"stderr\":null,\"console\":null,\"action\":null,\"next\":null,"
	    "\"by\":null,\"exit_status\":null,\"text\":null}");
	line = (struct history_line){ .kind = "vmrun",
		.time_ms = 1767225600001,
		.boot = 2,
		.target = "a",
		.cause = "killed",
		.status = 0,
		.signal = 9,
		.uptime_ms = 0,
		.ended_by = "guest",
		.errors = "e\n",
		.console = "\xff",
		.action = "boot",
		.next = "b",
		.by = "default",
		.exit_status = 137,
		.text = "t" };
	all = history_line_json(&line);
	assert_string_equal(all,
	    "{\"v\":1,\"time\":\"2026-01-01T00:00:00.001Z\",\"kind\":\"vmrun\",\"boot\":2,"
	    "\"target\":\"a\",\"cause\":\"killed\",\"status\":0,\"signal\":9,\"uptime_ms\":0,"
	    "\"ended_by\":\"guest\",\"stderr\":\"e\\n\",\"console\":\"\xef\xbf\xbd\","
	    "\"action\":\"boot\",\"next\":\"b\",\"by\":\"default\",\"exit_status\":137,"
	    "\"text\":\"t\"}");
}

/* A copy has its own texts, and none that the line lacks. */
static void test_copy(void **state)
{
	char texts[] = "a\0guest\0e\n\0c\0boot\0b\0default\0";
	struct history_line line = HISTORY_LINE;
	struct history_line *copy = history_line_copy(&line);
	MEM_AUTO char *none = history_line_json(copy);
	MEM_AUTO char *wanted_none = history_line_json(&line);
	MEM_AUTO char *wanted = NULL, *got = NULL;

	(void)state;
	assert_string_equal(none, wanted_none);
	free(copy);
	line = (struct history_line){ .kind = texts + 17,
		.boot = 2,
		.target = texts,
		.cause = texts + 2,
		.status = 1,
		.ended_by = texts + 2,
		.errors = texts + 8,
		.console = texts + 11,
		.action = texts + 13,
		.next = texts + 18,
		.by = texts + 20,
		.text = texts + 8 };
	wanted = history_line_json(&line);
	copy = history_line_copy(&line);
	memset(texts, 'x', sizeof(texts) - 1);
	got = history_line_json(copy);
	assert_string_equal(got, wanted);
	free(copy);
}

/* A text of any length takes a bounded place, and no character is torn. */
static void test_long_text(void **state)
{
	struct history_line line = HISTORY_LINE;
	STR_AUTO struct str text = { 0 };
	MEM_AUTO char *json = NULL;
	MEM_AUTO char *kept = NULL;

	(void)state;
	str_add(&text, "a");
	while (text.length < 3 * MAX_HISTORY_TEXT)
		str_add(&text, "\xc3\xa4");
	line.text = text.text;
	json = history_line_json(&line);
	kept = json_member(json, "text");
	assert_int_equal(strlen(kept), MAX_HISTORY_TEXT - 1);
	assert_true(strncmp(kept, text.text, strlen(kept)) == 0);
}

static void check_output(const char *bytes, size_t n, const char *expected)
{
	MEM_AUTO char *text = history_line_output(bytes, n);

	assert_string_equal(text, expected);
}

static void test_output(void **state)
{
	STR_AUTO struct str text = { 0 };
	MEM_AUTO char *kept = NULL;

	(void)state;
	check_output("", 0, "");
	check_output("a\0b\r\n", 5, "ab\r\n");
	check_output("\x80x", 2, "\xef\xbf\xbdx");
	for (size_t i = 0; i < MAX_HISTORY_TEXT; i++)
		str_add(&text, "\xc3\xa4");
	str_add(&text, "z");
	kept = history_line_output(text.text, text.length);
	assert_int_equal(strlen(kept), MAX_HISTORY_TEXT - 1);
	assert_true(strncmp(kept, "\xc3\xa4", 2) == 0);
	assert_string_equal(kept + strlen(kept) - 3, "\xc3\xa4z");
}

/* Bytes that are not UTF-8 become longer, but not the text. */
static void test_binary_output(void **state)
{
	char bytes[MAX_HISTORY_TEXT];
	MEM_AUTO char *kept = NULL;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	kept = history_line_output(bytes, sizeof(bytes));
	assert_in_range(strlen(kept), MAX_HISTORY_TEXT - 3, MAX_HISTORY_TEXT);
	assert_true(strncmp(kept, "\xef\xbf\xbd", 3) == 0);
}

static void test_death(void **state)
{
	MEM_AUTO char *json = history_line_of_death(4711);
	MEM_AUTO char *kind = json_member(json, "kind");
	MEM_AUTO char *text = json_member(json, "text");
	MEM_AUTO char *cause = json_member(json, "cause");

	(void)state;
	assert_string_equal(kind, "vmrun");
	assert_null(cause);
	assert_string_equal(text, "vmrun pid 4711 died: kill -9, out of memory or a power cut");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_binary_output),
		cmocka_unit_test(test_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
