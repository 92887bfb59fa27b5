/* pid files: locked, truncated, removed, and never those of other programs. */
#include "ledger/pidfile.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"

static bool has_no_locks;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

int __wrap_flock(int fd, int operation)
{
	if (!has_no_locks)
		return __real_flock(fd, operation);
	errno = EOPNOTSUPP;
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
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static void assert_holds(const char *path, const char *expected)
{
	char text[256] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	(void)fclose(f);
	assert_string_equal(text, expected);
}

static void put(struct pidfile *p, pid_t pid)
{
	struct error err = { 0 };

	if (pidfile_write(p, pid, &err) != 0)
		fail_msg("%s", err.text);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void test_life(void **state)
{
	struct pidfile p = { 0 };
	struct error err = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	assert_holds("pid", "");
	put(&p, 1234567);
	assert_holds("pid", "1234567\n");
	put(&p, 42); /* nothing is left of the longer one */
	assert_holds("pid", "42\n");
	put(&p, 0);
	assert_holds("pid", "");
	assert_int_equal(stat("pid", &st), 0);
	assert_int_equal(st.st_mode & 0133, 0);
	assert_true((fcntl(p.fd, F_GETFD) & FD_CLOEXEC) != 0);
	pidfile_close(&p);
	assert_false(is_there("pid"));
	pidfile_close(&p); /* and again */
	put(&p, 7);
	assert_false(is_there("pid"));
}

/* A file that cannot be removed holds no pid, and the next start may remove it. */
static void test_file_that_stays(void **state)
{
	WORDS_AUTO struct words none = { 0 };
	struct pidfile p = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	put(&p, 42);
	is_read_only = true;
	assert_int_equal(pidfile_close(&p), -1);
	assert_int_equal(errno, EROFS);
	is_read_only = false;
	assert_holds("pid", "");
	assert_int_equal(pidfile_remove_stale("pid", &none, &err), 0);
	assert_false(is_there("pid"));
	/* One that is gone, or another program's, is not left behind. */
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	assert_int_equal(unlink("pid"), 0);
	is_read_only = true;
	assert_int_equal(pidfile_close(&p), 0);
	is_read_only = false;
}

/* A file of a dead process, empty or with a number and blanks, is taken over and emptied. */
static void test_stale_file(void **state)
{
	static const char *const texts[] = { "", "1", "99999\n", " \t42 \r\n\n", "1234567890123",
		"4711                           \n" /* 32 bytes: the longest */ };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pidfile p = { 0 };
		struct error err = { 0 };

		scratch_write("pid", texts[i], 0644);
		assert_int_equal(pidfile_open(&p, "pid", &err), 0);
		assert_holds("pid", "");
		pidfile_close(&p);
		assert_false(is_there("pid"));
	}
}

/* Opens a pid file that must be refused, and checks that a look at it says the same. */
static void refuse(const char *path, struct error *err)
{
	struct pidfile p = { 0 };
	struct error same = { 0 };

	assert_int_equal(pidfile_check(path, &same), -1);
	assert_int_equal(pidfile_open(&p, path, err), -1);
	assert_string_equal(same.text, err->text);
	assert_int_equal(same.status, err->status);
	error_clear(&same);
	pidfile_close(&p);
}

/* Checks that a file is refused without repeating its content, and not changed. */
static void refused(const char *name, const char *content, const char *why)
{
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct error err = { 0 };
	struct stat st;

	scratch_write(name, content, 0644);
	assert_int_equal(utimensat(AT_FDCWD, name, old, 0), 0);
	refuse(name, &err);
	assert_int_equal(err.status, STATUS_OS);
	assert_ptr_equal(strstr(err.text, name), err.text);
	assert_non_null(strstr(err.text, why));
	assert_non_null(strstr(err.text, ": name another file, or remove this one"));
	assert_null(strstr(err.text, "hunter2"));
	error_clear(&err);
	assert_holds(name, content);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mtime, 1000);
}

/* A key instead of a pid file after -p. */
static void test_something_else(void **state)
{
	static const char number[] = "it contains something other than a number";
	char image[201] = "";

	(void)state;
	memset(image, '7', sizeof(image) - 1);
	refused("disk.img", image, "it is too long for a pid");
	refused("disk.img", "4711                            \n", "it is too long for a pid");
	image[33] = '\0';
	refused("disk.img", image, "it is too long for a pid");
	refused("key", "hunter2\n", number);
	refused("key", "99999 hunter2\n", number);
	refused("key", "1 2\n", number);
	refused("key", "-1\n", number);
	refused("key", "0x10\n", number);
	refused("key", "\n", number);
}

static void test_bytes_after_a_nul_count(void **state)
{
	static const char bytes[] = "12\0secret";
	FILE *f = fopen("key", "w");
	struct pidfile p = { 0 };
	struct error err = { 0 };
	struct stat st;

	(void)state;
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, sizeof(bytes), f), sizeof(bytes));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(pidfile_open(&p, "key", &err), -1);
	error_clear(&err);
	assert_int_equal(stat("key", &st), 0);
	assert_int_equal(st.st_size, sizeof(bytes));
}

/* A locked file of another program is refused, and its content is not repeated. */
static void test_something_else_that_is_locked(void **state)
{
	struct error err = { 0 };
	int fd;

	(void)state;
	scratch_write("key", "hunter2\n", 0644);
	fd = open("key", O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	refuse("key", &err);
	assert_int_equal(err.status, STATUS_OS);
	assert_null(strstr(err.text, "hunter2"));
	error_clear(&err);
	(void)close(fd);
	assert_holds("key", "hunter2\n");
}

/* Another file that has got the name meanwhile is not removed. */
static void test_a_file_that_took_the_name(void **state)
{
	struct pidfile p = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	put(&p, 42);
	assert_int_equal(rename("pid", "old"), 0);
	scratch_write("pid", "precious", 0644);
	pidfile_close(&p);
	assert_holds("pid", "precious");
}

/* Calls pidfile_write() under a limit on the size of files, as on a full disk. */
static int put_limited(struct pidfile *p, pid_t pid, rlim_t most, struct error *err)
{
	struct rlimit old, small;
	int rc;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = most, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = pidfile_write(p, pid, err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	return rc;
}

/* A failed write is reported, and leaves neither an old pid nor a part of the new one. */
static void test_a_pid_that_cannot_be_written(void **state)
{
	struct pidfile p = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	for (rlim_t most = 0; most < 4; most += 2) {
		put(&p, 4711);
		assert_int_equal(put_limited(&p, 1234567, most, &err), -1);
		assert_int_equal(err.status, STATUS_OS);
		assert_string_equal(err.text, "pid: cannot write the pid file: File too large");
		error_clear(&err);
		assert_holds("pid", "");
	}
	put(&p, 42);
	assert_holds("pid", "42\n");
	pidfile_close(&p);
}

/* Returns the lowest descriptor that is free. */
static int free_descriptor(void)
{
	int fd = dup(STDIN_FILENO);

	assert_int_equal(close(fd), 0);
	return fd;
}

/* A look makes no file, and leaves one as it is. */
static void test_look(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(pidfile_check("pid", &err), 0);
	assert_false(is_there("pid"));
	scratch_write("pid", "4711\n", 0644);
	assert_int_equal(pidfile_check("pid", &err), 0);
	assert_holds("pid", "4711\n");
	refuse("missing/pid", &err);
	assert_string_equal(
	    err.text, "missing/pid: cannot write the pid file: No such file or directory");
	error_clear(&err);
	assert_int_equal(symlink("loop", "loop"), 0);
	refuse("loop/pid", &err);
	error_clear(&err);
}

static void test_held_by_another(void **state)
{
	struct pidfile p = { 0 }, second = { 0 };
	struct error err = { 0 };
	int free_before;

	(void)state;
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	free_before = free_descriptor();
	put(&p, 4711);
	refuse("pid", &err);
	assert_int_equal(err.status, STATUS_BUSY);
	assert_string_equal(err.text, "pid: locked by a running process, pid 4711");
	error_clear(&err);
	assert_int_equal(free_descriptor(), free_before);
	assert_holds("pid", "4711\n");
	pidfile_close(&second);
	assert_true(is_there("pid"));
	put(&p, 0);
	refuse("pid", &err);
	assert_string_equal(err.text, "pid: locked by a running process");
	error_clear(&err);
	pidfile_close(&p);
	assert_int_equal(pidfile_open(&second, "pid", &err), 0);
	pidfile_close(&second);
}

/* The end of a holder in another process, also by kill -9, releases the lock. */
static void test_held_by_another_process(void **state)
{
	struct pidfile p = { 0 };
	struct error err = { 0 };
	int ready[2], status;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct pidfile mine = { 0 };
		int rc = pidfile_open(&mine, "pid", &err);

		put(&mine, getpid());
		(void)!write(ready[1], rc == 0 ? "y" : "n", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	assert_int_equal(pidfile_open(&p, "pid", &err), -1);
	assert_int_equal(err.status, STATUS_BUSY);
	error_clear(&err);
	(void)kill(child, 9);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	pidfile_close(&p);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* Other kinds of files give an error at once; none is followed, opened or waited for. */
static void test_what_is_no_file(void **state)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{ "link", "it is a symbolic link" },
		{ "nowhere", "it is a symbolic link" },
		{ "directory", "it is a directory" },
		{ "fifo", "it is a FIFO" },
		{ "/dev/null", "it is a device" },
		{ "no/such/pid", "No such file or directory" },
	};
	struct error err = { 0 };

	(void)state;
	scratch_write("precious", "12", 0644);
	assert_int_equal(symlink("precious", "link"), 0);
	assert_int_equal(symlink("missing", "nowhere"), 0);
	assert_int_equal(mkdir("directory", 0755), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pidfile p = { 0 };

		assert_int_equal(pidfile_open(&p, rows[i].name, &err), -1);
		assert_int_equal(err.status, STATUS_OS);
		assert_ptr_equal(strstr(err.text, rows[i].name), err.text);
		assert_non_null(strstr(err.text, rows[i].why));
		error_clear(&err);
		pidfile_close(&p);
		assert_int_equal(is_there(rows[i].name), i < 5);
		assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	}
	assert_holds("precious", "12");
	assert_false(is_there("missing"));
}

/* A program that has closed its standard input gets descriptor 0 for the pid file. */
static void test_without_standard_input(void **state)
{
	struct pidfile p = { 0 };
	struct error err = { 0 };
	int input = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(close(STDIN_FILENO), 0);
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	assert_int_equal(p.fd, STDIN_FILENO);
	assert_null(err.text);
	pidfile_close(&p);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	(void)close(input);
}

/* What is no regular file is not vmrun's pid file, and nothing is left to remove. */
static void test_stale_path_of_no_file(void **state)
{
	static const char *const names[] = { "missing", "text/pid", "link", "directory", "socket" };
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct words none = { 0 };
	struct error err = { 0 };

	(void)state;
	scratch_write("text", "12", 0644);
	assert_int_equal(symlink("text", "link"), 0);
	assert_int_equal(mkdir("directory", 0755), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (pidfile_remove_stale(names[i], &none, &err) != 0)
			fail_msg("%s", err.text);
		assert_int_equal(is_there(names[i]), i >= 2);
	}
}

/* Where files cannot be locked, the content still says to which process the file belongs. */
static void test_stale_file_without_locks(void **state)
{
	WORDS_AUTO struct words pids = { 0 };

	(void)state;
	words_add(&pids, "4711");
	scratch_write("mine", "4711\n", 0644);
	scratch_write("foreign", "1234\n", 0644);
	has_no_locks = true;
	assert_int_equal(pidfile_remove_stale("mine", &pids, NULL), 0);
	assert_int_equal(pidfile_remove_stale("foreign", &pids, NULL), 0);
	has_no_locks = false;
	assert_false(is_there("mine"));
	assert_holds("foreign", "1234\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_file_that_stays, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_stale_file, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_stale_file_without_locks, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_stale_path_of_no_file, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_without_standard_input, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_something_else, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_bytes_after_a_nul_count, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_something_else_that_is_locked, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_file_that_took_the_name, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_pid_that_cannot_be_written, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_look, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_held_by_another, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_held_by_another_process, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_what_is_no_file, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
