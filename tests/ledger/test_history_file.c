/* The file of the history: lines, trimming, faults; and the file that tells of a death. */
#include "ledger/history_file.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"
#include "base/str.h"
#include "ledger/statefile.h"
#include "platform/os.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);

static int writes_left = -1; /* before the disk is full, and takes 3 bytes only; -1: never */

ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	if (fd <= STDERR_FILENO || writes_left < 0)
		return __real_write(fd, bytes, n);
	if (writes_left-- > 0)
		return __real_write(fd, bytes, n > 3 ? 3 : n);
	writes_left = 0;
	errno = ENOSPC;
	return -1;
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

static bool is_read_only; /* the file system */

int __wrap_unlink(const char *path)
{
	if (!is_read_only)
		return __real_unlink(path);
	errno = EROFS;
	return -1;
}

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);

static bool cannot_examine;

int __wrap_fstat(int fd, struct stat *st)
{
	if (!cannot_examine)
		return __real_fstat(fd, st);
	errno = EOVERFLOW;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static struct history_file h;

static void open_history(void)
{
	pid_t died;

	assert_int_equal(history_file_open(&h, "state/vm", &died, NULL), 0);
	assert_int_equal(died, 0);
}

static void add(const char *line)
{
	assert_int_equal(history_file_add(&h, line, NULL), 0);
}

static void check_text(const char *expected)
{
	MEM_AUTO char *text = NULL;

	assert_int_equal(history_file_read("state/vm", &text, NULL), 0);
	if (expected == NULL)
		assert_null(text);
	else
		assert_string_equal(text, expected);
}

static void test_lines(void **state)
{
	struct stat st;

	(void)state;
	check_text(NULL);
	open_history();
	check_text(NULL);
	add("one");
	add("two");
	check_text("one\ntwo\n");
	assert_int_equal(stat("state/vm/" HISTORY_FILE_NAME, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	history_file_close(&h);
	open_history();
	add("three");
	check_text("one\ntwo\nthree\n");
	history_file_close(&h);
}

/* A mark that cannot be removed tells of no death. */
static void test_mark_that_stays(void **state)
{
	struct stat st;

	(void)state;
	open_history();
	is_read_only = true;
	assert_int_equal(history_file_close(&h), -1);
	assert_int_equal(errno, EROFS);
	is_read_only = false;
	assert_int_equal(stat("state/vm/" HISTORY_FILE_RUNNING, &st), 0);
	assert_int_equal(st.st_size, 0);
	open_history();
	assert_int_equal(unlink("state/vm/" HISTORY_FILE_RUNNING), 0);
	assert_int_equal(history_file_close(&h), 0);
}

static void test_none(void **state)
{
	struct history_file none = { 0 };
	pid_t died = 1;

	(void)state;
	assert_int_equal(history_file_open(&none, NULL, &died, NULL), 0);
	assert_int_equal(died, 0);
	assert_int_equal(history_file_add(&none, "x", NULL), 0);
	history_file_close(&none);
	assert_int_equal(access("state", F_OK), -1);
}

/* Checks the lines that reading gives. */
static void check_lines(int first, int last)
{
	MEM_AUTO char *text = NULL;
	STR_AUTO struct str expected = { 0 };

	for (int i = first; i <= last; i++)
		str_addf(&expected, "line %d\n", i);
	assert_int_equal(history_file_read("state/vm", &text, NULL), 0);
	assert_string_equal(text, expected.text);
}

/* Checks that the file has these lines, of which reading gives the last ones. */
static void check_size(int first, int last)
{
	struct stat st;
	size_t size = 0;

	for (int i = first; i <= last; i++)
		size += (size_t)snprintf(NULL, 0, "line %d\n", i);
	assert_int_equal(stat("state/vm/" HISTORY_FILE_NAME, &st), 0);
	assert_int_equal(st.st_size, size);
}

static void add_lines(int first, int last)
{
	char line[32];

	for (int i = first; i <= last; i++) {
		(void)snprintf(line, sizeof(line), "line %d", i);
		add(line);
	}
}

static void test_trim(void **state)
{
	(void)state;
	open_history();
	add_lines(1, MAX_HISTORY_LINES + MAX_HISTORY_SPARE);
	check_lines(201, MAX_HISTORY_LINES + MAX_HISTORY_SPARE);
	check_size(1, MAX_HISTORY_LINES + MAX_HISTORY_SPARE);
	add_lines(401, 401);
	check_lines(202, 401);
	check_size(202, 401);
	add_lines(402, 601);
	check_lines(402, 601);
	check_size(202, 601);
	/* At its end a vmrun keeps what a reader gets; the lines of an earlier run count, too. */
	history_file_close(&h);
	check_size(402, 601);
	open_history();
	add_lines(602, 602);
	check_lines(403, 602);
	check_size(402, 602);
	history_file_close(&h);
	check_size(403, 602);
}

/* An error of the trim loses no line, and a later line tries again. */
static void test_trim_that_fails(void **state)
{
	ERROR_AUTO struct error err = { 0 };

	(void)state;
	open_history();
	add_lines(1, MAX_HISTORY_LINES + MAX_HISTORY_SPARE);
	assert_int_equal(mkdir("state/vm/" HISTORY_FILE_NAME ".new", 0700), 0);
	assert_int_equal(history_file_add(&h, "line 401", &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_non_null(strstr(err.text, HISTORY_FILE_NAME ".new: cannot write this file"));
	check_size(1, 401);
	assert_int_equal(rmdir("state/vm/" HISTORY_FILE_NAME ".new"), 0);
	add_lines(402, 602);
	check_size(403, 602);
	history_file_close(&h);
}

/* The directory may be removed while vmrun runs. */
static void test_directory_that_vanished(void **state)
{
	(void)state;
	open_history();
	assert_int_equal(unlink("state/vm/" HISTORY_FILE_RUNNING), 0);
	assert_int_equal(rmdir("state/vm"), 0);
	assert_int_equal(rmdir("state"), 0);
	add("one");
	check_text("one\n");
	history_file_close(&h);
}

static void test_torn_line(void **state)
{
	(void)state;
	assert_int_equal(mkdir("state", 0700), 0);
	assert_int_equal(mkdir("state/vm", 0700), 0);
	scratch_write("state/vm/" HISTORY_FILE_NAME, "one\nto", 0600);
	open_history();
	add("three");
	check_text("one\nto\nthree\n");
	history_file_close(&h);
}

static void test_full_disk(void **state)
{
	ERROR_AUTO struct error err = { 0 };

	(void)state;
	open_history();
	add("one");
	writes_left = 1;
	assert_int_equal(history_file_add(&h, "a longer line", &err), -1);
	writes_left = -1;
	assert_int_equal(err.status, STATUS_OS);
	assert_non_null(
	    strstr(err.text, "state/vm/history.jsonl: cannot write this file: No space"));
	check_text("one\n");
	add("two");
	check_text("one\ntwo\n");
	history_file_close(&h);
}

/* What was written of "running" is removed. */
static void test_full_disk_at_start(void **state)
{
	ERROR_AUTO struct error err = { 0 };
	pid_t died;

	(void)state;
	assert_int_equal(mkdir("state", 0700), 0);
	assert_int_equal(mkdir("state/vm", 0700), 0);
	writes_left = 1;
	assert_int_equal(history_file_open(&h, "state/vm", &died, &err), -1);
	writes_left = -1;
	assert_non_null(strstr(err.text, "state/vm/running: cannot write: No space"));
	assert_int_equal(access("state/vm/" HISTORY_FILE_RUNNING, F_OK), -1);
	history_file_close(&h);
}

static void test_other_files(void **state)
{
	ERROR_AUTO struct error err = { 0 };
	char *text;

	(void)state;
	open_history();
	assert_int_equal(mkfifo("state/vm/" HISTORY_FILE_NAME, 0600), 0);
	assert_int_equal(history_file_add(&h, "x", &err), -1);
	assert_non_null(strstr(err.text, "expected a regular file"));
	error_clear(&err);
	assert_int_equal(history_file_read("state/vm", &text, &err), -1);
	assert_non_null(strstr(err.text, "expected a regular file"));
	assert_int_equal(unlink("state/vm/" HISTORY_FILE_NAME), 0);
	scratch_write("other", "kept\n", 0600);
	assert_int_equal(symlink("../../other", "state/vm/" HISTORY_FILE_NAME), 0);
	error_clear(&err);
	assert_int_equal(history_file_add(&h, "x", &err), -1);
	assert_non_null(strstr(err.text, "expected a regular file"));
	history_file_close(&h);
}

/* What cannot be examined is not said to be of a wrong type. */
static void test_unexamined(void **state)
{
	struct error err = { 0 };
	char *text = NULL, wanted[96];
	int rc;

	(void)state;
	open_history();
	add("one");
	cannot_examine = true;
	rc = history_file_read("state/vm", &text, &err);
	cannot_examine = false;
	assert_int_equal(rc, -1);
	(void)snprintf(wanted, sizeof(wanted), "cannot read this file: %s", strerror(EOVERFLOW));
	assert_non_null(strstr(err.text, wanted));
	error_clear(&err);
	history_file_close(&h);
}

/* A power cut may leave bytes that were never written. */
static void test_nul_bytes(void **state)
{
	FILE *f;

	(void)state;
	open_history();
	add("one");
	f = fopen("state/vm/" HISTORY_FILE_NAME, "a");
	assert_non_null(f);
	assert_int_equal(fwrite("\0\0", 1, 2, f), 2);
	assert_int_equal(fclose(f), 0);
	add("two");
	check_text("one\n  two\n");
	history_file_close(&h);
}

static void test_running(void **state)
{
	pid_t died;
	struct history_file second = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(history_file_death("state/vm"), 0);
	open_history();
	assert_int_equal(history_file_death("state/vm"), 0);
	assert_int_equal(stat("state/vm/" HISTORY_FILE_RUNNING, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* A second one, of another run directory, leaves the first one's file alone. */
	assert_int_equal(history_file_open(&second, "state/vm", &died, NULL), 0);
	assert_int_equal(died, 0);
	history_file_close(&second);
	assert_int_equal(access("state/vm/" HISTORY_FILE_RUNNING, F_OK), 0);
	history_file_close(&h);
	assert_int_equal(access("state/vm/" HISTORY_FILE_RUNNING, F_OK), -1);
}

static void test_death(void **state)
{
	pid_t child = fork(), died;

	(void)state;
	if (child == 0) {
		open_history();
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(history_file_death("state/vm"), child);
	assert_int_equal(history_file_open(&h, "state/vm", &died, NULL), 0);
	assert_int_equal(died, child);
	assert_int_equal(history_file_death("state/vm"), 0);
	history_file_close(&h);
}

/* Writes `running` as a process of that pid, start and boot of the host would. */
static void write_running(int64_t start, const char *boot)
{
	STR_AUTO struct str json = { 0 };

	str_addf(&json, "{\"v\":1,\"pid\":%ld,\"start\":%lld,\"boot\":\"%s\"}\n", (long)getpid(),
	    (long long)start, boot);
	scratch_write("state/vm/" HISTORY_FILE_RUNNING, json.text, 0600);
}

/* A process of that pid may be another one: of another start, or of another boot of the host. */
static void test_pid_of_another(void **state)
{
	MEM_AUTO char *boot = os_boot_id();
	int64_t start;

	(void)state;
	open_history();
	history_file_close(&h);
	assert_true(os_process_start(getpid(), &start));
	write_running(start, boot);
	assert_int_equal(history_file_death("state/vm"), 0);
	write_running(start + 1, boot);
	assert_int_equal(history_file_death("state/vm"), getpid());
	if (*boot != '\0') {
		write_running(start, "another");
		assert_int_equal(history_file_death("state/vm"), getpid());
	}
	scratch_write("state/vm/" HISTORY_FILE_RUNNING, "", 0600);
	assert_int_equal(history_file_death("state/vm"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_mark_that_stays),
		TEST(test_none),
		TEST(test_trim),
		TEST(test_trim_that_fails),
		TEST(test_directory_that_vanished),
		TEST(test_torn_line),
		TEST(test_full_disk),
		TEST(test_full_disk_at_start),
		TEST(test_other_files),
		TEST(test_unexamined),
		TEST(test_nul_bytes),
		TEST(test_running),
		TEST(test_death),
		TEST(test_pid_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
