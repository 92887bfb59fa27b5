/* Files of UEFI variables are created once and in one step, and never overwritten. */
#include "ledger/varfile.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../platform/scratch.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);

static bool cannot_examine;
static bool is_race; /* another process makes the file just before */

int __wrap_link(const char *from, const char *to)
{
	if (is_race)
		scratch_write(to, "the other's", 0600);
	return __real_link(from, to);
}

int __wrap_fstat(int fd, struct stat *st)
{
	if (!cannot_examine)
		return __real_fstat(fd, st);
	errno = EOVERFLOW;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static size_t count_files(void)
{
	DIR *dir = opendir(".");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n - 2;
}

static void assert_holds(const char *path, const char *expected, size_t n)
{
	char *got = mem_zero(n + 2);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fread(got, 1, n + 1, f), n);
	(void)fclose(f);
	assert_memory_equal(got, expected, n);
	free(got);
}

static void test_made_once(void **state)
{
	struct error err = { 0 };
	struct stat st;

	(void)state;
	scratch_write("template", "fresh", 0444);
	assert_int_equal(varfile_make("template", "vars", &err), 1);
	assert_holds("vars", "fresh", 5);
	assert_int_equal(stat("vars", &st), 0);
	assert_true((st.st_mode & S_IWUSR) != 0); /* because the guest writes the file */
	scratch_write("vars", "the guest's", 0600);
	assert_int_equal(varfile_make("template", "vars", &err), 0);
	assert_holds("vars", "the guest's", 11);
	/* An existing file needs no template. */
	assert_int_equal(varfile_make("gone", "vars", &err), 0);
	assert_int_equal(count_files(), 2);
}

/* A file that appears during the copy stays, and is not reported as made. */
static void test_another_was_quicker(void **state)
{
	struct error err = { 0 };

	(void)state;
	scratch_write("template", "fresh", 0444);
	is_race = true;
	assert_int_equal(varfile_make("template", "vars", &err), 0);
	is_race = false;
	assert_holds("vars", "the other's", 11);
	assert_int_equal(count_files(), 2);
}

static void test_large_template(void **state)
{
	size_t n = 540 * 1024 + 7;
	char *bytes = mem_zero(n + 1);
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)('A' + i * 7 % 57);
	scratch_write("template", bytes, 0644);
	assert_int_equal(varfile_make("template", "vars", &err), 1);
	assert_holds("vars", bytes, n);
	free(bytes);
}

static void test_failures(void **state)
{
	static const struct {
		const char *template, *path, *text;
	} rows[] = {
		{ "gone", "vars", "varfile: cannot read the template gone: No such file" },
		{ "directory", "vars", "varfile: the template directory is not a regular file" },
		{ NULL, "vars",
		    "varfile: missing file vars, and no template to create it from: name one" },
		{ "template", "no/such/vars", "varfile: cannot create no/such/vars: No such file" },
		{ "template", "template/vars",
		    "varfile: cannot find template/vars: Not a directory" },
	};

	(void)state;
	scratch_write("template", "fresh", 0644);
	(void)mkdir("directory", 0755);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = { 0 };

		assert_int_equal(varfile_make(rows[i].template, rows[i].path, &err), -1);
		assert_int_equal(err.status, STATUS_CHECK);
		assert_ptr_equal(strstr(err.text, rows[i].text), err.text);
		error_clear(&err);
		assert_int_equal(count_files(), 2); /* no incomplete file is left */
	}
}

/* What cannot be examined is not said to be of a wrong type. */
static void test_unexamined(void **state)
{
	struct error err = { 0 };
	char wanted[128];
	int rc;

	(void)state;
	scratch_write("template", "fresh", 0644);
	cannot_examine = true;
	rc = varfile_make("template", "vars", &err);
	cannot_examine = false;
	assert_int_equal(rc, -1);
	assert_int_equal(err.status, STATUS_CHECK);
	(void)snprintf(wanted, sizeof(wanted), "varfile: cannot examine the template template: %s",
	    strerror(EOVERFLOW));
	assert_string_equal(err.text, wanted);
	error_clear(&err);
	assert_int_equal(count_files(), 1);
}

/* The disk gets full during the copy. */
static void test_no_room(void **state)
{
	struct rlimit old, small = { 4096, 4096 };
	size_t n = 300 * 1024;
	char *bytes = mem_zero(n + 1);
	struct error err = { 0 };
	int rc;

	(void)state;
	memset(bytes, 'x', n);
	scratch_write("template", bytes, 0644);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = varfile_make("template", "vars", &err);
	(void)setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(rc, -1);
	assert_int_equal(err.status, STATUS_CHECK);
	assert_non_null(strstr(err.text, ": File too large"));
	error_clear(&err);
	assert_int_equal(count_files(), 1);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_once, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_another_was_quicker, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_large_template, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_failures, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_unexamined, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_no_room, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
