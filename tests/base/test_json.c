/* The strict reader, token by token. */
#include "dice.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* Returns one letter per token; an error is '!' and ends the text. */
static char *tokens(const char *text, size_t length, struct json *j)
{
	static const char letters[] = ".!{}[]ks#tfn";
	struct json_token token;
	struct str s = { 0 };

	json_start(j, text, length);
	do {
		enum json_type type = json_next(j, &token);

		str_add_n(&s, &letters[type], 1);
		assert_true(token.offset + token.length <= length);
	} while (token.type != JSON_END && token.type != JSON_ERROR);
	return str_take(&s);
}

static void reads(const char *text, const char *wanted)
{
	struct json j;
	MEM_AUTO char *got = tokens(text, strlen(text), &j);

	if (strcmp(got, wanted) != 0)
		fail_msg("%s: %s, wanted %s", text, got, wanted);
}

/* Checks that the reader refuses the text at this offset, and each further call, too. */
static void refuses_bytes(const char *text, size_t length, size_t at, const char *why)
{
	struct json j;
	struct json_token token;
	MEM_AUTO char *got = tokens(text, length, &j);

	if (got[strlen(got) - 1] != '!')
		fail_msg("%s: accepted", text);
	if (strcmp(j.error, why) != 0 || j.at != at)
		fail_msg("%s: %s at %zu, wanted %s at %zu", text, j.error, j.at, why, at);
	assert_int_equal(json_next(&j, &token), JSON_ERROR);
}

static void refuses(const char *text, size_t at, const char *why)
{
	refuses_bytes(text, strlen(text), at, why);
}

static void test_values(void **state)
{
	(void)state;
	reads("null", "n.");
	reads(" true\r\n", "t.");
	reads("\t[ ]", "[].");
	reads("{}", "{}.");
	reads("[{},[],{}]", "[{}[]{}].");
	reads("{\"a\":1,\"b\" : [ \"x\" , false ] }", "{k#k[sf]}.");
	reads("\"\"", "s.");
	reads("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud834\\udd1e\x7f\"", "s.");
}

static void test_numbers(void **state)
{
	static const char *const good[] = { "0", "-0", "7", "10", "-12", "0.5", "-1.25e3", "1E+2",
		"1e-400", "0e0", "9007199254740993", "123456789012345678901234567890",
		"1.7976931348623157e308" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		reads(good[i], "#.");
	refuses("010", 0, "a number with a leading zero");
	refuses("-01", 1, "a number with a leading zero");
	refuses("00", 0, "a number with a leading zero");
	refuses("-", 1, "a number without digits");
	refuses("-a", 1, "a number without digits");
	refuses("+1", 0, "not a JSON value");
	refuses(".5", 0, "not a JSON value");
	refuses("1.", 2, "a number without digits after its point");
	refuses("1.e5", 2, "a number without digits after its point");
	refuses("1e", 2, "a number without digits in its exponent");
	refuses("1e+", 3, "a number without digits in its exponent");
	refuses("0x10", 1, "not a number as JSON writes it");
	refuses("1_000", 1, "not a number as JSON writes it");
	refuses("1.2.3", 3, "not a number as JSON writes it");
	refuses("1e400", 5, "a number that is too large");
	refuses("-1e400", 6, "a number that is too large");
	refuses("NaN", 0, "not a JSON value");
	refuses("nan", 0, "not a JSON value");
	refuses("Infinity", 0, "not a JSON value");
	refuses("-Infinity", 1, "a number without digits");
	refuses("-inf", 1, "a number without digits");
}

static void test_limit_of_numbers(void **state)
{
	char digits[MAX_JSON_NUMBER + 2];

	(void)state;
	memset(digits, '1', sizeof(digits) - 1);
	digits[MAX_JSON_NUMBER + 1] = '\0';
	refuses(digits, MAX_JSON_NUMBER + 1, "a number of more than 63 characters");
	digits[MAX_JSON_NUMBER] = '\0';
	reads(digits, "#.");
}

static void test_strings(void **state)
{
	(void)state;
	refuses("\"a", 2, "unterminated string");
	refuses("\"a\n\"", 2, "unterminated string: write a line break as \\n");
	refuses("\"a\tb\"", 2, "a control character in a string");
	refuses("\"\x1f\"", 1, "a control character in a string");
	refuses("\"\\x\"", 1, "an unknown escape in a string");
	refuses("\"\\", 1, "an unknown escape in a string");
	refuses("\"\\\xc3\"", 1, "an unknown escape in a string");
	refuses("\"\\u12g4\"", 1, "\\u needs four hex digits");
	refuses("\"\\u123", 1, "\\u needs four hex digits");
	refuses("\"\\u0000\"", 1, "a string holds a NUL (\\u0000)");
	refuses("\"\\ud800\"", 1, "half of a surrogate pair in a string");
	refuses("\"\\ud800\\n12345\"", 1, "half of a surrogate pair in a string");
	refuses("\"\\ud800\\u0041\"", 1, "half of a surrogate pair in a string");
	refuses("\"\\ud800\\ud800\"", 1, "half of a surrogate pair in a string");
	refuses("\"\\udc00\"", 1, "half of a surrogate pair in a string");
	refuses("'a'", 0, "not a JSON value");
	refuses_bytes("\"a\0b\"", 5, 2, "a NUL byte in a string");
}

static void test_structure(void **state)
{
	(void)state;
	refuses("", 0, "the text is empty");
	refuses(" \n", 2, "the text is empty");
	refuses("[1,]", 3, "not a JSON value");
	refuses("[,1]", 1, "not a JSON value");
	refuses("[1 2]", 3, "expected a comma or the end of the container");
	refuses("[1", 2, "unexpected end of the text");
	refuses("[1,", 3, "unexpected end of the text");
	refuses("{", 1, "unexpected end of the text");
	refuses("{\"a\"", 4, "unexpected end of the text");
	refuses("{\"a\":", 5, "unexpected end of the text");
	refuses("{\"a\" 1}", 5, "expected a colon after the key");
	refuses("{\"a\":1,}", 7, "expected a key in quotes");
	refuses("{a:1}", 1, "expected a key in quotes");
	refuses("{1:1}", 1, "expected a key in quotes");
	refuses("{\"a\"}", 4, "expected a colon after the key");
	refuses("{\"a\":}", 5, "not a JSON value");
	refuses("[}", 1, "not a JSON value");
	refuses("{]", 1, "expected a key in quotes");
	refuses("[1}", 2, "expected \"]\", not \"}\"");
	refuses("{\"a\":1]", 6, "expected \"}\", not \"]\"");
	refuses("]", 0, "not a JSON value");
	refuses("{} {}", 3, "text after the end of the document");
	refuses("1 1", 2, "text after the end of the document");
	refuses("// x\n1", 0, "JSON has no comments; UCL and Lua do");
	refuses("[1, /* x */ 2]", 4, "JSON has no comments; UCL and Lua do");
	refuses("{\"a\": 1 # x\n}", 8, "JSON has no comments; UCL and Lua do");
	refuses("[1, /]", 4, "not a JSON value");
	refuses("nul", 0, "not a JSON value");
	refuses("True", 0, "not a JSON value");
	refuses("\xef\xbb\xbf{}", 0, "not a JSON value");
	refuses_bytes("[1]\0x", 5, 3, "text after the end of the document");
	refuses_bytes("{}\0", 3, 2, "text after the end of the document");
	refuses_bytes("[\0]", 3, 1, "a NUL byte");
	refuses_bytes("\0{}", 3, 0, "a NUL byte");
}

static void test_depth(void **state)
{
	struct str s = { 0 };
	struct json j;

	(void)state;
	for (int i = 0; i < MAX_JSON_DEPTH; i++)
		str_add(&s, "[");
	for (int i = 0; i < MAX_JSON_DEPTH; i++)
		str_add(&s, "]");
	MEM_AUTO char *good = tokens(s.text, s.length, &j);

	assert_int_equal(strlen(good), 2 * MAX_JSON_DEPTH + 1);
	assert_int_equal(good[2 * MAX_JSON_DEPTH], '.');
	str_free(&s);
	for (int i = 0; i < 10 << 20; i++)
		str_add_n(&s, "[", 1);
	refuses_bytes(s.text, s.length, MAX_JSON_DEPTH, "nested deeper than 64 levels");
	str_free(&s);
}

static void text_is(const char *text, const char *wanted)
{
	struct json j;
	struct json_token token;
	size_t length = 0;

	json_start(&j, text, strlen(text));
	assert_int_equal(json_next(&j, &token), JSON_STRING);
	MEM_AUTO char *got = json_text(&j, &token, &length);

	assert_string_equal(got, wanted);
	assert_int_equal(length, strlen(wanted));
}

static void test_text(void **state)
{
	(void)state;
	text_is("\"\"", "");
	text_is("\"plain\"", "plain");
	text_is("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	text_is("\"a\\u0041\\u007F\\u0080\\u07ff\\u0800\\uffff\"",
	    "aA\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
	text_is("\"\\ud800\\udc00x\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80x\xf4\x8f\xbf\xbf");
}

/* Text that json_add_text() quotes reads back unchanged. */
static void test_quoted_text_reads_back(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 500; seed++) {
		struct str text = { 0 }, quoted = { 0 };
		struct json j;
		struct json_token token;
		struct dice d;

		dice_start(&d, seed);
		for (unsigned n = dice_roll(&d, 20); n > 0; n--) {
			char c = (char)(1 + dice_roll(&d, dice_roll(&d, 2) == 0 ? 255 : 100));

			str_add_n(&text, &c, 1);
		}
		MEM_AUTO char *wanted = str_take(&text);

		str_add_json(&quoted, wanted);
		json_start(&j, quoted.text, quoted.length);
		dice_check(&d, json_next(&j, &token) == JSON_STRING, "scan");
		MEM_AUTO char *got = json_text(&j, &token, NULL);

		dice_check(&d, strcmp(got, wanted) == 0, quoted.text);
		dice_check(&d, json_next(&j, &token) == JSON_END, "end");
		str_free(&quoted);
	}
}

static void test_line(void **state)
{
	static const char text[] = "ab\n\nc\r\nd";
	static const size_t wanted[][2] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 1 }, { 3, 1 },
		{ 3, 2 }, { 3, 3 }, { 4, 1 }, { 4, 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		size_t line, column;

		json_line(text, i, &line, &column);
		assert_int_equal(line, wanted[i][0]);
		assert_int_equal(column, wanted[i][1]);
	}
}

static void member_is(const char *json, const char *key, const char *value)
{
	MEM_AUTO char *text = json_member(json, key);

	if (value == NULL)
		assert_null(text);
	else
		assert_string_equal(text, value);
}

static void test_members(void **state)
{
	static const char json[] = "{\"a\":\"x\\\"\\u00e9\",\"b\":[1,{\"e\":2}],\"c\":-1.5e3,\"d\":"
				   "null,\"e\":true,\"f\":{}} ";

	(void)state;
	member_is(json, "a", "x\"\xc3\xa9");
	member_is(json, "b", "[1,{\"e\":2}]");
	member_is(json, "c", "-1.5e3");
	member_is(json, "d", NULL);
	member_is(json, "e", "true");
	member_is(json, "f", "{}");
	member_is(json, "g", NULL);
	member_is("[{\"a\":1}]", "a", NULL);
	member_is("{\"a\":", "a", NULL);
	member_is("{\"a\":[1,", "a", NULL);
	member_is("", "a", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_limit_of_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_quoted_text_reads_back),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
