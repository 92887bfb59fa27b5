/* Many problems at once: merged, sorted, with the status of the first. */
#include "dice.h"

#include <string.h>

#include "base/mem.h"
#include "base/report.h"
#include "base/str.h"

static void add_at(struct report *r, size_t line, size_t column, const char *text)
{
	report_add(r, STATUS_SPEC, NULL, "%s", text);
	r->item[r->count - 1].line = line;
	r->item[r->count - 1].column = column;
}

static void texts_are(const struct report *r, const char *wanted)
{
	struct str all = { 0 };

	for (size_t i = 0; i < r->count; i++)
		str_add(&all, r->item[i].text);
	assert_string_equal(all.text, wanted);
	str_free(&all);
}

static void test_add(void **state)
{
	struct where list = { NULL, "emulations", 0 }, at = { &list, NULL, 1 };
	struct report r = { 0 };
	struct error err = { 0 };

	(void)state;
	report_add(&r, STATUS_CHECK, &at, "%d problems", 3);
	report_add(&r, STATUS_SPEC, NULL, "whole");
	(void)error_set(&err, STATUS_OS, "taken");
	report_take(&r, &at, &err);
	assert_null(err.text);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.status, STATUS_CHECK);
	assert_string_equal(r.item[0].path, "emulations[1]");
	assert_string_equal(r.item[0].text, "3 problems");
	assert_int_equal(r.item[0].keys->count, 2);
	assert_null(r.item[0].place);
	assert_null(r.item[1].path);
	assert_string_equal(r.item[2].text, "taken");
	report_free(&r);
	assert_int_equal(r.status, STATUS_OK);
	report_free(&r);
}

static void test_merge(void **state)
{
	struct where at = { NULL, "mem", 0 };
	struct report r = { 0 }, more = { 0 };

	(void)state;
	report_add(&more, STATUS_SPEC, NULL, "a");
	report_add(&more, STATUS_SPEC, &at, "a");
	report_add(&more, STATUS_SPEC, NULL, "b");
	report_add(&more, STATUS_SPEC, NULL, "a");
	report_merge(&r, &more);
	assert_int_equal(r.status, STATUS_SPEC);
	assert_int_equal(more.count, 0);
	texts_are(&r, "aab");
	assert_string_equal(r.item[1].path, "mem");
	report_add(&more, STATUS_OS, &at, "a");
	report_add(&more, STATUS_OS, NULL, "c");
	report_merge(&r, &more);
	texts_are(&r, "aabc");
	assert_int_equal(r.status, STATUS_SPEC);
	report_merge(&r, &more);
	texts_are(&r, "aabc");
	report_free(&r);
}

/* The same problem at two places of the file is two problems. */
static void test_merge_looks_at_the_place(void **state)
{
	struct report r = { 0 }, more = { 0 };

	(void)state;
	report_add(&r, STATUS_SPEC, NULL, "a");
	r.item[0].place = mem_copy("vm.json:1:2");
	report_add(&more, STATUS_SPEC, NULL, "a");
	more.item[0].place = mem_copy("vm.json:1:3");
	report_merge(&r, &more);
	assert_int_equal(r.count, 2);
	report_free(&r);
}

static void test_sort(void **state)
{
	struct report r = { 0 };

	(void)state;
	report_sort(&r);
	add_at(&r, 7, 1, "e");
	add_at(&r, 0, 0, "a");
	add_at(&r, 2, 9, "d");
	add_at(&r, 2, 3, "c");
	add_at(&r, 7, 1, "f");
	add_at(&r, 0, 0, "b");
	report_sort(&r);
	texts_are(&r, "abcdef");
	report_free(&r);
}

static void test_sort_random(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 100; seed++) {
		struct report r = { 0 };
		struct dice d;

		dice_start(&d, seed);
		for (unsigned i = 0; i < 40; i++) {
			char text[2] = { (char)('0' + i), '\0' };

			add_at(&r, dice_roll(&d, 4), dice_roll(&d, 4), text);
		}
		report_sort(&r);
		for (size_t i = 1; i < r.count; i++) {
			const struct problem *a = &r.item[i - 1], *b = &r.item[i];
			size_t before = a->line * 4 + a->column, after = b->line * 4 + b->column;

			dice_check(&d, before < after || (before == after && *a->text < *b->text),
			    "order");
		}
		report_free(&r);
	}
}

/* The text of a problem is one line, whatever the value in it; only a failure may have several. */
static void test_lines(void **state)
{
	struct report r = { 0 };
	struct error err = { 0 };

	(void)state;
	report_add(&r, STATUS_SPEC, NULL, "unknown key \"%s\"", "a\r\nvmrun: b");
	(void)error_set(&err, STATUS_SPEC, "a.lua:1: x\nstack traceback:");
	report_take(&r, NULL, &err);
	assert_string_equal(r.item[0].text, "unknown key \"a??vmrun: b\"");
	assert_string_equal(r.item[1].text, "a.lua:1: x\nstack traceback:");
	assert_null(err.text);
	report_free(&r);
}

static void test_cut(void **state)
{
	struct report r = { 0 };

	(void)state;
	report_add(&r, STATUS_SPEC, NULL, "first");
	for (int i = 0; i < MAX_REPORT_PROBLEMS; i++)
		report_add(&r, STATUS_SPEC, NULL, "%d", i);
	report_cut(&r, 1);
	assert_int_equal(r.count, MAX_REPORT_PROBLEMS + 1);
	assert_int_equal(r.more, 0);
	report_cut(&r, 0);
	assert_int_equal(r.count, MAX_REPORT_PROBLEMS);
	assert_int_equal(r.more, 1);
	assert_string_equal(r.item[r.count - 1].text, "98");
	report_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_merge_looks_at_the_place),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_sort_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
