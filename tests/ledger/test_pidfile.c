/* pid files: locked, truncated, removed, and nobody else's. */
#include "ledger/pidfile.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"

static void assert_holds(const char *path, const char *expected)
{
	char text[256] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	(void)fclose(f);
	assert_string_equal(text, expected);
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
	pidfile_write(&p, 1234567);
	assert_holds("pid", "1234567\n");
	pidfile_write(&p, 42); /* the longer one leaves nothing behind */
	assert_holds("pid", "42\n");
	pidfile_write(&p, 0);
	assert_holds("pid", "");
	assert_int_equal(stat("pid", &st), 0);
	assert_int_equal(st.st_mode & 0133, 0);
	assert_true((fcntl(p.fd, F_GETFD) & FD_CLOEXEC) != 0);
	pidfile_close(&p);
	assert_false(is_there("pid"));
	pidfile_close(&p); /* and again */
	pidfile_write(&p, 7);
	assert_false(is_there("pid"));
}

/* What a dead process left is taken over and emptied. */
static void test_stale_file(void **state)
{
	struct pidfile p = { 0 };
	struct error err = { 0 };

	(void)state;
	scratch_write("pid", "99999 and much more\n", 0644);
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	assert_holds("pid", "");
	pidfile_close(&p);
	assert_false(is_there("pid"));
}

/* -p disk.img instead of -p vm.pid. */
static void test_something_else(void **state)
{
	char image[201] = "";
	struct pidfile p = { 0 };
	struct error err = { 0 };

	(void)state;
	memset(image, 'x', sizeof(image) - 1);
	scratch_write("disk.img", image, 0644);
	assert_int_equal(pidfile_open(&p, "disk.img", &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	error_clear(&err);
	pidfile_close(&p);
	assert_holds("disk.img", image);
}

static void test_held_by_another(void **state)
{
	struct pidfile p = { 0 }, second = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(pidfile_open(&p, "pid", &err), 0);
	pidfile_write(&p, 4711);
	assert_int_equal(pidfile_open(&second, "pid", &err), -1);
	assert_int_equal(err.status, STATUS_BUSY);
	assert_string_equal(err.text, "pid: locked by a running process, pid 4711");
	error_clear(&err);
	assert_holds("pid", "4711\n");
	pidfile_close(&second);
	assert_true(is_there("pid"));
	pidfile_write(&p, 0);
	assert_int_equal(pidfile_open(&second, "pid", &err), -1);
	assert_string_equal(err.text, "pid: locked by a running process");
	error_clear(&err);
	pidfile_close(&p);
	assert_int_equal(pidfile_open(&second, "pid", &err), 0);
	pidfile_close(&second);
}

/* A holder in another process; its end gives the lock up, kill -9 included. */
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

		pidfile_write(&mine, getpid());
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

/* A link, a folder, a missing folder, a fifo: an error at once, and nothing is followed. */
static void test_what_is_no_file(void **state)
{
	struct error err = { 0 };

	(void)state;
	scratch_write("precious", "data", 0644);
	assert_int_equal(symlink("precious", "link"), 0);
	assert_int_equal(mkdir("folder", 0755), 0);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "link", "folder", "no/such/pid" };
		struct pidfile p = { 0 };

		assert_int_equal(pidfile_open(&p, names[i], &err), -1);
		assert_int_equal(err.status, STATUS_OS);
		assert_ptr_equal(strstr(err.text, names[i]), err.text);
		error_clear(&err);
		pidfile_close(&p);
	}
	assert_holds("precious", "data");
	assert_true(is_there("link"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_stale_file, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_something_else, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_held_by_another, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_held_by_another_process, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_what_is_no_file, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
