/* The writer of JSON: commas, keys, escapes, and that the reader accepts what it writes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"

static void test_members(void **state)
{
	STR_AUTO struct str s = { 0 };

	(void)state;
	json_begin_object(&s, NULL);
	json_add_int(&s, "least", INT64_MIN);
	json_add_number(&s, "number", 2);
	json_add_bool(&s, "yes", true);
	json_add_bool(&s, "no", false);
	json_add_null(&s, "null");
	json_add_text(&s, "text", "{");
	json_add_text(&s, "none", NULL);
	json_add_json(&s, "json", "[1]");
	json_add_json(&s, "no_json", NULL);
	json_end_object(&s);
	assert_string_equal(s.text,
	    "{\"least\":-9223372036854775808,\"number\":2.0,\"yes\":true,\"no\":false,"
	    "\"null\":null,\"text\":\"{\",\"none\":null,\"json\":[1],\"no_json\":null}");
}

static void test_commas(void **state)
{
	STR_AUTO struct str s = { 0 };

	(void)state;
	json_begin_list(&s, NULL);
	json_begin_object(&s, NULL);
	json_end_object(&s);
	json_begin_list(&s, NULL);
	json_end_list(&s);
	json_begin_object(&s, NULL);
	json_begin_list(&s, "a");
	/* Strings end with a quote, whatever bytes they contain. */
	json_add_text(&s, NULL, "[");
	json_add_text(&s, NULL, ":");
	json_add_text(&s, NULL, ",");
	json_end_list(&s);
	json_begin_object(&s, "b");
	json_end_object(&s);
	json_end_object(&s);
	json_add_int(&s, NULL, 1);
	json_add_number(&s, NULL, INFINITY);
	json_end_list(&s);
	assert_string_equal(s.text, "[{},[],{\"a\":[\"[\",\":\",\",\"],\"b\":{}},1,null]");
}

/* A caller may write a comma or a key itself. */
static void test_comma_of_the_caller(void **state)
{
	STR_AUTO struct str s = { 0 };

	(void)state;
	json_begin_list(&s, NULL);
	json_add_int(&s, NULL, 1);
	str_add(&s, ",");
	json_add_int(&s, NULL, 2);
	str_add(&s, ",{\"a\":");
	json_add_int(&s, NULL, 3);
	json_end_object(&s);
	json_end_list(&s);
	assert_string_equal(s.text, "[1,2,{\"a\":3}]");
}

static void test_escapes(void **state)
{
	STR_AUTO struct str s = { 0 };
	struct json_token token;
	struct json reader;

	(void)state;
	json_begin_object(&s, NULL);
	json_add_text(&s, "a \"key\"\\", "\"\\\n\t\r\x01\x7f");
	json_end_object(&s);
	assert_string_equal(
	    s.text, "{\"a \\\"key\\\"\\\\\":\"\\\"\\\\\\n\\t\\u000d\\u0001\\u007f\"}");
	json_start(&reader, s.text, s.length);
	while (json_next(&reader, &token) != JSON_END)
		assert_int_not_equal(token.type, JSON_ERROR);
}

static void test_decimals(void **state)
{
	STR_AUTO struct str s = { 0 };

	(void)state;
	json_begin_list(&s, NULL);
	json_add_decimal(&s, NULL, 2);
	json_add_decimal(&s, NULL, 0.01);
	json_add_decimal(&s, NULL, -1.5);
	json_add_decimal(&s, NULL, 123456789012345); /* 15 digits */
	json_add_decimal(&s, NULL, 1234567890123456);
	json_add_decimal(&s, NULL, INFINITY);
	json_end_list(&s);
	assert_string_equal(s.text, "[2,0.01,-1.5,123456789012345,1.23456789012346e+15,null]");
}

static void test_formatted_text(void **state)
{
	STR_AUTO struct str s = { 0 };

	(void)state;
	json_begin_object(&s, NULL);
	json_add_textf(&s, "a", "%d \"%s\"", 1, "b");
	json_add_textf(&s, "c", "%s", "");
	json_end_object(&s);
	assert_string_equal(s.text, "{\"a\":\"1 \\\"b\\\"\",\"c\":\"\"}");
}

static void test_words(void **state)
{
	WORDS_AUTO struct words words = { 0 };
	STR_AUTO struct str s = { 0 };

	(void)state;
	json_begin_object(&s, NULL);
	json_add_words(&s, "none", &words);
	words_add(&words, "a b");
	words_add(&words, "\"");
	json_add_words(&s, "two", &words);
	json_end_object(&s);
	assert_string_equal(s.text, "{\"none\":[],\"two\":[\"a b\",\"\\\"\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_commas),
		cmocka_unit_test(test_comma_of_the_caller),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_decimals),
		cmocka_unit_test(test_formatted_text),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
