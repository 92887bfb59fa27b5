/* The report of the checks: the column of the fixes and the length of a problem. */
#include "../base/dice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmrun/report.h"
#include "vmrun/vmrun.h"

#define MIN_FIX_COLUMN 40
#define MAX_COLUMNS 80
#define MAX_TEXT 1024 /* bytes of a subject, and of a problem */

/* The findings that the library returns in these tests. */
static struct vmrun_finding finding[4];
static size_t finding_count;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
const struct vmrun_finding *__wrap_vmrun_finding(const struct vmrun *vm, size_t index);
const char *__wrap_vmrun_name(const struct vmrun *vm);

const struct vmrun_finding *__wrap_vmrun_finding(const struct vmrun *vm, size_t index)
{
	(void)vm;
	return index < finding_count ? &finding[index] : NULL;
}

const char *__wrap_vmrun_name(const struct vmrun *vm)
{
	(void)vm;
	return "demo";
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* Returns the report. Caller frees. */
static char *report(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	report_print(NULL, "default", f);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* Fills a text with n letters. */
static char *letters(char *text, size_t n)
{
	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

/* Returns the column in which the fix of a problem of this length begins, the first column being
 * 0. */
static size_t column_of(size_t length)
{
	char problem[256], *text;
	const char *line, *fix;
	size_t column;

	/* The text of the problem is "    w: PROBLEM". */
	finding[0] = (struct vmrun_finding){
		.what = "w", .problem = letters(problem, length - strlen("    w: ")), .fix = "mend"
	};
	finding_count = 1;
	text = report();
	line = strstr(text, "    w: ");
	assert_non_null(line);
	fix = strstr(line, "fix: mend\n");
	assert_non_null(fix);
	column = (size_t)(fix - line);
	free(text);
	return column;
}

static void test_column(void **state)
{
	(void)state;
	assert_int_equal(column_of(10), MIN_FIX_COLUMN);
	assert_int_equal(column_of(MIN_FIX_COLUMN - 2), MIN_FIX_COLUMN);
	assert_int_equal(column_of(MIN_FIX_COLUMN - 1), MIN_FIX_COLUMN + 1);
}

/* Returns the length of the longest line. */
static size_t longest_line(const char *text)
{
	size_t longest = 0;

	for (; *text != '\0'; text += strcspn(text, "\n") + 1) {
		if (strcspn(text, "\n") > longest)
			longest = strcspn(text, "\n");
	}
	return longest;
}

/* A fix that does not fit behind its problem has a line of its own, and moves no other fix. */
static void test_long_problems(void **state)
{
	size_t fits = MAX_COLUMNS - strlen("  fix: mend");
	char problem[256], *text;

	(void)state;
	for (size_t length = fits; length <= fits + 1; length++) {
		bool is_behind = length == fits;

		finding[0] = (struct vmrun_finding){ .what = "w",
			.problem = letters(problem, length - strlen("    w: ")),
			.fix = "mend" };
		finding[1] = (struct vmrun_finding){ .what = "v", .problem = "short", .fix = "it" };
		finding_count = 2;
		text = report();
		assert_int_equal(strstr(text, "fix: it\n") - strstr(text, "    v: short"),
		    is_behind ? fits + 2 : MIN_FIX_COLUMN);
		assert_non_null(
		    strstr(text, is_behind ? "xx  fix: mend\n" : "xx\n      fix: mend\n"));
		assert_int_equal(longest_line(text), is_behind ? MAX_COLUMNS : fits + 1);
		free(text);
	}
}

/* A fix fits only with the column of the others. */
static void test_fix_beyond_the_column(void **state)
{
	char fix[256], *text;

	(void)state;
	finding[0] = (struct vmrun_finding){
		.what = "w", .problem = "p", .fix = letters(fix, MAX_COLUMNS - MIN_FIX_COLUMN - 5)
	};
	finding_count = 1;
	text = report();
	assert_null(strstr(text, "\n      fix: "));
	assert_int_equal(longest_line(text), MAX_COLUMNS);
	free(text);
	(void)letters(fix, MAX_COLUMNS - MIN_FIX_COLUMN - 4);
	text = report();
	assert_non_null(strstr(text, "    w: p\n      fix: xx"));
	free(text);
}

/* Long texts are broken at blanks; a path stays in one piece, and may be longer than a line. */
static void test_texts_are_wrapped(void **state)
{
	static char words[] =
	    "this is a problem with so many words that no terminal of a usual width "
	    "shows it on a line, nor on two, because it goes on and on";
	char path[128], *text;

	(void)state;
	finding[0] = (struct vmrun_finding){ .what = "w", .problem = words, .fix = "mend" };
	finding[1] = (struct vmrun_finding){ .what = letters(path, 100), .problem = "bad thing" };
	finding[2] = (struct vmrun_finding){ .what = "c", .problem = words, .unchecked = true };
	finding[3] = (struct vmrun_finding){ .what = "\303\204", .problem = "p", .fix = "mend" };
	finding_count = 4;
	text = report();
	assert_non_null(strstr(text,
	    "    w: this is a problem with so many words that no terminal of a usual width\n"
	    "      shows it on a line, nor on two, because it goes on and on\n"
	    "      fix: mend\n"));
	assert_non_null(strstr(text, "xxx:\n      bad thing\n"));
	assert_non_null(strstr(text,
	    "  not checked: this is a problem with so many words that no terminal of a usual\n"
	    "      width shows it"));
	/* A character of two bytes has one column. */
	assert_non_null(strstr(text, "    \303\204: p                                fix: mend\n"));
	free(text);
}

static void test_very_long_texts_are_cut(void **state)
{
	static char problem[2 * MAX_TEXT];
	char *text;

	(void)state;
	finding_count = 1;
	for (size_t n = MAX_TEXT; n <= MAX_TEXT + 1; n++) {
		finding[0] = (struct vmrun_finding){ .what = "w", .problem = letters(problem, n) };
		text = report();
		assert_int_equal(longest_line(text), strlen("      ") + MAX_TEXT);
		free(text);
	}
	/* A cut tears no character. */
	(void)letters(problem, MAX_TEXT - 2);
	memcpy(problem + MAX_TEXT - 2, "\360\237\220\241", 5);
	finding[0].problem = problem;
	text = report();
	assert_int_equal(longest_line(text), strlen("      ") + MAX_TEXT - 2);
	free(text);
}

static void test_devices_and_fixes_are_counted(void **state)
{
	char *text;

	(void)state;
	finding[0] = (struct vmrun_finding){ .what = "vmm", .problem = "p", .fix = "kldload vmm" };
	finding[1] = (struct vmrun_finding){ .device = "virtio-net",
		.id = "a",
		.slot = "0:1:0",
		.device_path = "emulations[0]",
		.what = "tap\33",
		.problem = "p",
		.fix = "kldload vmm" };
	finding[2] = (struct vmrun_finding){ .device = "virtio-net",
		.id = "a",
		.slot = "0:1:0",
		.device_path = "emulations[0]",
		.what = "vm",
		.problem = "p",
		.fix = "destroy",
		.forced = true };
	finding[3] =
	    (struct vmrun_finding){ .what = "pciconf", .problem = "no pciconf", .unchecked = true };
	finding_count = 4;
	text = report();
	assert_non_null(
	    strstr(text, "cannot start:\n  3 problems on the VM itself and 1 device\n"));
	assert_non_null(strstr(text, "  virtio-net at 0:1:0 (emulations[0])\n"));
	assert_non_null(strstr(text, "    tap?: p"));
	assert_non_null(strstr(text, "  not checked: no pciconf\n"));
	free(text);
	assert_int_equal(report_count_fixes(NULL), 1);
	finding[2].will_fix = true;
	assert_int_equal(report_count_fixes(NULL), 2);
	finding[2].advice = true;
	assert_int_equal(report_count_fixes(NULL), 1);
}

/* No part of a finding steers the terminal or begins a line of its own. */
static void test_control_characters(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	(void)state;
	finding[0] = (struct vmrun_finding){ .device = "d\33",
		.id = "a",
		.slot = "0\n",
		.device_path = "e[\33c]",
		.what = "w\33",
		.problem = "p\n",
		.fix = "mend \33]0;x\7\n",
		.will_fix = true };
	finding[1] =
	    (struct vmrun_finding){ .what = "w", .problem = "no\33[2J\n", .unchecked = true };
	finding_count = 2;
	text = report();
	assert_null(strchr(text, '\33'));
	assert_non_null(strstr(text, "\n  d? at 0? (e[?c])\n    w?: p? "));
	assert_non_null(strstr(text, "  fix: mend ?]0;x??\n"));
	assert_non_null(strstr(text, "\n  not checked: no?[2J?\n"));
	free(text);
	text = NULL;
	f = open_memstream(&text, &size);
	assert_non_null(f);
	report_print_planned(NULL, f);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "  a run would fix this: mend ?]0;x??\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_column),
		cmocka_unit_test(test_long_problems),
		cmocka_unit_test(test_fix_beyond_the_column),
		cmocka_unit_test(test_texts_are_wrapped),
		cmocka_unit_test(test_very_long_texts_are_cut),
		cmocka_unit_test(test_devices_and_fixes_are_counted),
		cmocka_unit_test(test_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
