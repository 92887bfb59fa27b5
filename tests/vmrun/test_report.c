/* The report of the checks: the column of the fixes and the length of a problem. */
#include "../base/dice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmrun/report.h"
#include "vmrun/vmrun.h"

#define MIN_FIX_COLUMN 53
#define MAX_FIX_COLUMN 80
#define MAX_TEXT 1024 /* bytes of a problem, with its NUL */

/* The findings that the library returns in these tests. */
static struct vmrun_finding finding[4];
static size_t finding_count;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
bool __wrap_vmrun_finding(const struct vmrun *vm, size_t index, struct vmrun_finding *out);
const char *__wrap_vmrun_name(const struct vmrun *vm);

bool __wrap_vmrun_finding(const struct vmrun *vm, size_t index, struct vmrun_finding *out)
{
	(void)vm;
	if (index >= finding_count)
		return false;
	*out = finding[index];
	return true;
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

/* A problem that is too long for the column moves only its own fix. */
static void test_long_problems(void **state)
{
	char problem[256], *text;

	(void)state;
	for (size_t length = MAX_FIX_COLUMN - 2; length <= MAX_FIX_COLUMN - 1; length++) {
		const char *fix;
		size_t wanted = length + 2 <= MAX_FIX_COLUMN ? length + 2 : MIN_FIX_COLUMN;

		finding[0] = (struct vmrun_finding){ .what = "w",
			.problem = letters(problem, length - strlen("    w: ")),
			.fix = "mend" };
		finding[1] =
		    (struct vmrun_finding){ .what = "v", .problem = "short", .fix = "other" };
		finding_count = 2;
		text = report();
		fix = strstr(text, "fix: other\n");
		assert_non_null(fix);
		assert_int_equal(fix - strstr(text, "    v: short"), wanted);
		assert_non_null(strstr(text, "xx  fix: mend\n"));
		free(text);
	}
}

static void test_problem_is_cut(void **state)
{
	static char problem[2 * MAX_TEXT];
	char *text;
	size_t prefix = strlen("    w: ");

	(void)state;
	finding_count = 1;
	for (size_t n = MAX_TEXT - 1; n <= MAX_TEXT; n++) {
		finding[0] =
		    (struct vmrun_finding){ .what = "w", .problem = letters(problem, n - prefix) };
		text = report();
		assert_int_equal(strcspn(strstr(text, "    w: "), "\n"), MAX_TEXT - 1);
		free(text);
	}
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
	assert_non_null(strstr(text, "cannot start: 3 problems on the VM itself and 1 device\n"));
	assert_non_null(strstr(text, "  virtio-net at 0:1:0 (emulations[0])\n"));
	assert_non_null(strstr(text, "    tap?: p"));
	assert_non_null(strstr(text, "  not checked: no pciconf\n"));
	free(text);
	assert_int_equal(report_count_fixes(NULL), 1);
	finding[2].will_fix = true;
	assert_int_equal(report_count_fixes(NULL), 2);
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
		cmocka_unit_test(test_problem_is_cut),
		cmocka_unit_test(test_devices_and_fixes_are_counted),
		cmocka_unit_test(test_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
