/* A file that is replaced in one step: after any failure or kill, it is the old or the new one. */
#include "ledger/statefile.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"

/*
 * The linker replaces the calls of statefile.c by these, of which the n-th call fails.
 */
static struct {
	int calls, at;
	bool kill;     /* the process is killed before the call; else the call fails */
	bool shortens; /* writes take one byte at a time */
} fault;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

static bool strikes(void)
{
	if (++fault.calls != fault.at)
		return false;
	if (fault.kill)
		(void)kill(getpid(), SIGKILL);
	errno = EIO;
	return true;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	if (fd <= STDERR_FILENO)
		return __real_write(fd, bytes, n);
	return strikes() ? -1 : __real_write(fd, bytes, fault.shortens && n > 1 ? n / 2 : n);
}

int __wrap_fsync(int fd)
{
	return strikes() ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
	return strikes() ? -1 : __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	return strikes() ? -1 : __real_unlink(path);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static void no_fault(void)
{
	memset(&fault, 0, sizeof(fault));
}

static char *content(void)
{
	struct error err = { 0 };
	char *text;
	size_t length;

	if (statefile_read("vm/state", &text, &length, &err) != 0)
		fail_msg("%s", err.text);
	if (text != NULL)
		assert_int_equal(strlen(text), length);
	return text;
}

static void put(const char *text)
{
	struct error err = { 0 };

	no_fault();
	if (statefile_write("vm", "state", text, strlen(text), &err) != 0)
		fail_msg("%s", err.text);
}

static size_t count_files(void)
{
	DIR *dir = opendir("vm");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n - 2;
}

static void test_written_and_read(void **state)
{
	struct stat st;

	(void)state;
	no_fault();
	assert_null(content());
	(void)umask(0);
	put("one");
	MEM_AUTO char *one = content();
	assert_string_equal(one, "one");
	assert_int_equal(stat("vm", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat("vm/state", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	put("");
	MEM_AUTO char *none = content();
	assert_string_equal(none, "");
	assert_int_equal(count_files(), 1);
}

/* A program that has closed its standard input gets descriptor 0 for the file. */
static void test_without_standard_input(void **state)
{
	int input = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(close(STDIN_FILENO), 0);
	put("old");
	put("new");
	MEM_AUTO char *text = content();
	assert_non_null(text);
	assert_string_equal(text, "new");
	assert_int_equal(open(".", O_RDONLY), STDIN_FILENO); /* no descriptor is left open */
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	(void)close(input);
}

static void test_left_over(void **state)
{
	struct stat st;

	(void)state;
	put("old");
	scratch_write("vm/state.new", "half of something lon", 0666);
	put("new");
	MEM_AUTO char *text = content();
	assert_string_equal(text, "new");
	assert_int_equal(count_files(), 1);
	/* A link in the place of the new file is not followed. */
	scratch_write("precious", "precious", 0600);
	assert_int_equal(symlink("../precious", "vm/state.new"), 0);
	put("newer");
	assert_int_equal(stat("precious", &st), 0);
	assert_int_equal(st.st_size, 8);
}

static void test_short_writes(void **state)
{
	struct error err = { 0 };

	(void)state;
	no_fault();
	fault.shortens = true;
	assert_int_equal(statefile_write("vm", "state", "0123456789abcdef", 16, &err), 0);
	assert_true(fault.calls > 5);
	MEM_AUTO char *text = content();
	assert_string_equal(text, "0123456789abcdef");
}

/* Every call fails in turn; a failed unlink of a missing file is ignored. */
static void test_each_step_fails(void **state)
{
	int failures = 0;

	(void)state;
	put("old");
	for (int at = 1;; at++) {
		struct error err = { 0 };
		int rc;

		no_fault();
		fault.at = at;
		rc = statefile_write("vm", "state", "new", 3, &err);
		if (fault.calls < at)
			break;
		MEM_AUTO char *text = content();
		if (rc == 0) {
			assert_string_equal(text, "new");
			put("old");
			continue;
		}
		failures++;
		assert_int_equal(err.status, STATUS_OS);
		assert_non_null(strstr(err.text, "Input/output error"));
		assert_non_null(strstr(err.text, "vm"));
		/* The file is new already only when the directory cannot be synced. */
		assert_string_equal(text, failures == 4 ? "new" : "old");
		assert_int_equal(count_files(), 1);
		error_clear(&err);
	}
	assert_int_equal(failures, 4); /* write, fsync, rename, fsync of the directory */
}

static void test_killed_at_each_step(void **state)
{
	bool seen_old = false, seen_new = false;
	int kills = 0;

	(void)state;
	for (int at = 1;; at++) {
		pid_t pid;
		int status;

		put("old");
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct error err = { 0 };

			fault.at = at;
			fault.calls = 0;
			fault.kill = true;
			fault.shortens = true;
			_exit(
			    statefile_write("vm", "state", "new, and long", 13, &err) == 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		MEM_AUTO char *text = content();
		seen_new = strcmp(text, "new, and long") == 0;
		seen_old = seen_old || strcmp(text, "old") == 0;
		assert_true(seen_new || strcmp(text, "old") == 0);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			break;
		}
		assert_int_equal(WTERMSIG(status), SIGKILL);
		kills++;
	}
	assert_true(seen_old && seen_new);
	assert_true(kills >= 7);
	put("after");
	assert_int_equal(count_files(), 1);
}

static void refused(const char *path, const char *text)
{
	struct error err = { 0 };
	char *got;
	size_t length;

	assert_int_equal(statefile_read(path, &got, &length, &err), -1);
	assert_null(got);
	assert_non_null(strstr(err.text, text));
	error_clear(&err);
}

static void test_no_file_of_ours(void **state)
{
	struct error err = { 0 };
	const size_t most = (size_t)16 << 20;
	size_t length;
	char *text, *read;

	(void)state;
	no_fault();
	refused(".", "not a regular file");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	refused("fifo", "not a regular file");
	scratch_write("file", "", 0600);
	refused("file/state", "Not a directory");
	assert_int_equal(truncate("file", (off_t)most), 0);
	assert_int_equal(statefile_read("file", &read, &length, &err), 0);
	assert_int_equal(length, most);
	free(read);
	assert_int_equal(truncate("file", (off_t)most + 1), 0);
	refused("file", "larger than 16 MiB");
	assert_int_equal(statefile_write("file", "state", "x", 1, &err), -1);
	assert_non_null(strstr(err.text, "file/state.new: cannot write this file"));
	error_clear(&err);
	text = mem_zero(most + 1);
	assert_int_equal(statefile_write("vm", "state", text, most, &err), 0);
	assert_int_equal(statefile_write("vm", "state", text, most + 1, &err), -1);
	assert_non_null(strstr(err.text, "would be larger than 16 MiB"));
	error_clear(&err);
	free(text);
}

int main(void)
{
#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_written_and_read),
		SCRATCH_TEST(test_without_standard_input),
		SCRATCH_TEST(test_left_over),
		SCRATCH_TEST(test_short_writes),
		SCRATCH_TEST(test_each_step_fails),
		SCRATCH_TEST(test_killed_at_each_step),
		SCRATCH_TEST(test_no_file_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
