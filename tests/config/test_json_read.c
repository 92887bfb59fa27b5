/* Reading a whole document: faults with line, column and key path, values. */
#include "../base/dice.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/where.h"
#include "base/node_json.h"
#include "config/json_read.h"

/* Checks the problem of a text, "x:LINE:COLUMN: PATH: text", or "" for a good one. */
static void check_bytes(const char *text, size_t length, const char *wanted)
{
	struct report report = { 0 };
	struct node *root = json_read("x", text, length, SIZE_MAX, &report);
	struct str s = { 0 };

	assert_int_equal(report.count, root == NULL ? 1 : 0);
	if (report.count == 1) {
		const struct problem *p = &report.item[0];

		assert_int_equal(report.status, STATUS_SPEC);
		str_addf(&s, "%s: %s%s%s", p->place, p->path == NULL ? "" : p->path,
		    p->path == NULL ? "" : ": ", p->text);
	}
	if (strcmp(s.text == NULL ? "" : s.text, wanted) != 0)
		fail_msg("%s: got %s, wanted %s", text, s.text, wanted);
	str_free(&s);
	node_free(root);
	report_free(&report);
}

static void check(const char *text, const char *wanted)
{
	check_bytes(text, strlen(text), wanted);
}

static void test_duplicates(void **state)
{
	(void)state;
	check("{\"a\":1,\"b\":2,\"A\":3}", "");
	check("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}]}", "");
	check("{\"a\":1,\n \"a\":2}", "x:2:2: a: duplicate key");
	check("{\"a\":1,\"\\u0061\":2}", "x:1:8: a: duplicate key");
	check("{\"/\":1,\"\\/\":2}", "x:1:8: /: duplicate key");
	check("{\"\xc3\xa4\":1,\"\\u00e4\":2}", "x:1:9: \xc3\xa4: duplicate key");
	check("{\"\\ud834\\udd1e\":1,\"\xf0\x9d\x84\x9e\":2}",
	    "x:1:19: \xf0\x9d\x84\x9e: duplicate key");
	check("{\"\":1,\"\":2}", "x:1:7: : duplicate key");
	check("{\"a\":[0,{\"b\":{},\"b\":1}]}", "x:1:17: a[1].b: duplicate key");
}

/* Checks the problems of a text, a line each. */
static void check_all(const char *text, const char *wanted)
{
	struct report report = { 0 };

	assert_null(json_read("x", text, strlen(text), SIZE_MAX, &report));
	MEM_AUTO char *got = report_text(&report);

	assert_string_equal(got, wanted);
	report_free(&report);
}

static void test_all_duplicates(void **state)
{
	struct str many = { 0 };
	struct report report = { 0 };

	(void)state;
	check_all("{\"a\":1,\"a\":2,\n\"b\":{\"c\":1,\"c\":{\"a\":2,\"a\":3}},\"a\":[}",
	    "x:1:8: a: duplicate key\nx:2:12: b.c: duplicate key\nx:2:23: b.c.a: duplicate key\n"
	    "x:2:31: a: duplicate key\nx:2:36: a[0]: not a JSON value");
	str_add(&many, "{\"a\":0");
	for (int i = 0; i < MAX_REPORT_PROBLEMS + 5; i++)
		str_add(&many, ",\"a\":0");
	str_add(&many, "}");
	assert_null(json_read("x", many.text, many.length, SIZE_MAX, &report));
	assert_int_equal(report.count, MAX_REPORT_PROBLEMS);
	assert_int_equal(report.more, 5);
	report_free(&report);
	str_free(&many);
}

static void test_paths(void **state)
{
	(void)state;
	check("", "x:1:1: the text is empty");
	check("\n\n  x", "x:3:3: not a JSON value");
	check("{x}", "x:1:2: expected a key in quotes");
	check("[x]", "x:1:2: [0]: not a JSON value");
	check("[1,x]", "x:1:4: [1]: not a JSON value");
	check("[[1],[010]]", "x:1:7: [1][0]: a number with a leading zero");
	check("[1,]", "x:1:4: [1]: not a JSON value");
	check("{\"a\":010}", "x:1:6: a: a number with a leading zero");
	check("{\"a\":1,}", "x:1:8: expected a key in quotes");
	check("{\"a\":1 \"b\":2}", "x:1:8: a: expected a comma or the end of the container");
	check("{\"a\":{\"b\":1,x}}", "x:1:13: a: expected a key in quotes");
	check("{\"a\":{\"b\":[1,\n{\"c\":NaN}]}}", "x:2:6: a.b[1].c: not a JSON value");
	check("{\"a\":\"x\ty\"}", "x:1:8: a: a control character in a string");
	check("{\"a\":1}\n}", "x:2:1: text after the end of the document");
	check_bytes("{\"a\":1}\0x", 9, "x:1:8: text after the end of the document");
	check_bytes("{\"a\":\"\0\"}", 9, "x:1:7: a: a NUL byte in a string");
}

static void test_huge_nesting(void **state)
{
	struct str s = { 0 };

	(void)state;
	for (int i = 0; i < 10 << 20; i++)
		str_add_n(&s, "[", 1);
	check_bytes(s.text, s.length, "x:1:65: nested deeper than 64 levels");
	str_free(&s);
}

static void test_huge_object(void **state)
{
	struct str s = { 0 };
	size_t again;

	(void)state;
	for (int i = 0; i < 300000; i++)
		str_addf(
		    &s, "%c\"key number %d\":{\"a key in it\":[%d]}", i == 0 ? '{' : ',', i, i);
	again = s.length + 2;
	str_add(&s, ",\"key number 77\":1}");
	assert_true(s.length > 10 << 20);
	MEM_AUTO char *wanted = mem_format("x:1:%zu: key number 77: duplicate key", again);

	check_bytes(s.text, s.length, wanted);
	s.text[s.length - 5] = 'x';
	check_bytes(s.text, s.length, "");
	str_free(&s);
}

static void reads(const char *text, const char *wanted)
{
	struct report report = { 0 };
	struct node *root = json_read("x", text, strlen(text), SIZE_MAX, &report);
	struct str s = { 0 };

	assert_non_null(root);
	node_add_json(&s, root);
	assert_string_equal(s.text, wanted);
	str_free(&s);
	node_free(root);
}

static void test_values(void **state)
{
	(void)state;
	reads("{}", "{}");
	reads(" [ ] ", "[]");
	reads("{\"b\":[[],{}],\"a\":[],\"c\":{ }}", "{\"a\":[],\"b\":[[],{}],\"c\":{}}");
	reads("{\"z\":1,\"a\":{\"y\":null,\"b\":[true,false,null,2.5,\"x\\u0041\"]}}",
	    "{\"a\":{\"b\":[true,false,null,2.5,\"xA\"],\"y\":null},\"z\":1}");
	reads("[-0,9007199254740993,-9223372036854775808]",
	    "[0,9007199254740993,-9223372036854775808]");
	/* Digits that int64_t cannot hold stay as they are. */
	reads("18446744073709551616", "18446744073709551616");
	/* The longest number that the reader accepts. */
	reads("111111111111111111111111111111111111111111111111111111111111111",
	    "111111111111111111111111111111111111111111111111111111111111111");
}

/* A text may need many times its length. */
static void test_room(void **state)
{
	static const char text[] = "{\"a\":[1,2,\"three\"]}";
	struct report report = { 0 };
	size_t room = 0;
	struct node *root = NULL;

	(void)state;
	for (; root == NULL; room++) {
		report_free(&report);
		root = json_read("x", text, strlen(text), room, &report);
		if (root == NULL)
			assert_string_equal(report.item[0].text,
			    "the values up to here need too much memory: too large for a spec");
	}
	assert_true(room > 5 * sizeof(struct node) && room < 5 * sizeof(struct node) + 300);
	node_free(root);
	report_free(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_all_duplicates),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_huge_nesting),
		cmocka_unit_test(test_huge_object),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
