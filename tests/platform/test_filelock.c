/* Locks of files, between open files of one process and between processes. */
#include "platform/filelock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

static void one_writer(void **state)
{
	int first;

	(void)state;
	scratch_write("disk", "x", 0600);
	first = filelock_take("disk", false);
	assert_true(first >= 0);
	assert_true((fcntl(first, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(filelock_take("disk", false), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(filelock_take("disk", true), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	(void)close(first);
	first = filelock_take("disk", false);
	assert_true(first >= 0);
	(void)close(first);
}

static void many_readers(void **state)
{
	int one, two;

	(void)state;
	scratch_write("disk", "x", 0400);
	one = filelock_take("disk", true);
	two = filelock_take("disk", true);
	assert_true(one >= 0 && two >= 0);
	assert_int_equal(filelock_take("disk", false), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	(void)close(one);
	(void)close(two);
}

static void what_cannot_be_locked(void **state)
{
	(void)state;
	assert_int_equal(filelock_take("missing", false), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(mkdir("directory", 0700), 0);
	assert_int_equal(filelock_take("directory", false), -1);
	assert_int_equal(errno, ENOTSUP);
	/* An open() of a FIFO would wait for a writer. */
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(filelock_take("fifo", true), -1);
	assert_int_equal(errno, ENOTSUP);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(one_writer),
		IN_SCRATCH(many_readers),
		IN_SCRATCH(what_cannot_be_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
