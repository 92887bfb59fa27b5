/* Locks of files, between open files of one process and between processes. */
#include "platform/filelock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/clock.h"
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

/* Starts a process that locks a file by fcntl(2) and waits. */
static pid_t start_holder(const char *path)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int told[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		(void)alarm(60);
		if (fcntl(open(path, O_RDONLY), F_SETLK, &lock) == 0)
			(void)!write(told[1], "", 1);
		for (;;)
			(void)pause();
	}
	(void)close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	(void)close(told[0]);
	return pid;
}

static void lock_of_another_process(void **state)
{
	pid_t pid, found = 1;

	(void)state;
	assert_false(filelock_is_held("missing", &found));
	assert_int_equal(found, 0);
	scratch_write("file", "", 0600);
	assert_false(filelock_is_held("file", &found));
	pid = start_holder("file");
	assert_true(filelock_is_held("file", &found));
	assert_int_equal(found, pid);
	assert_true(filelock_is_held("file", &found)); /* the test has not taken it */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(filelock_is_held("file", &found));
	assert_int_equal(found, 0);
}

/* Starts a process that takes a lock by flock(2), and gives it up after some milliseconds. */
static pid_t start_owner(int operation, int64_t ms)
{
	int told[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		if (filelock_flock(open("file", O_RDWR), operation) == 0)
			(void)!write(told[1], "", 1);
		clock_sleep(ms);
		_exit(0);
	}
	(void)close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	(void)close(told[0]);
	return pid;
}

/* A process that looks at a lock makes none that takes it fail. */
static void look_beside_an_owner(void **state)
{
	int owner, looker;
	pid_t pid;

	(void)state;
	scratch_write("file", "", 0600);
	owner = open("file", O_RDWR | O_CLOEXEC);
	looker = open("file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(filelock_look(looker), 0);
	pid = start_owner(LOCK_SH, 50);
	assert_int_equal(filelock_look(looker), 0);
	assert_int_equal(filelock_own(owner), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(filelock_look(looker), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(filelock_own(looker), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	(void)close(owner);
	assert_int_equal(filelock_look(looker), 0);
	(void)close(looker);
}

/* A reader that stays is no process that only looks. */
static void own_beside_a_reader(void **state)
{
	int owner, reader;

	(void)state;
	scratch_write("file", "", 0600);
	owner = open("file", O_RDWR | O_CLOEXEC);
	reader = open("file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(filelock_flock(reader, LOCK_SH), 0);
	assert_int_equal(filelock_own(owner), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	(void)close(owner);
	(void)close(reader);
}

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): names of the linker
void __real_clock_sleep(int64_t ms);
void __wrap_clock_sleep(int64_t ms);
int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);

static pid_t ends;	     /* the process that a pause ends, 0: none */
static int64_t time_ms = -1; /* counts pauses, -1: the real time */

void __wrap_clock_sleep(int64_t ms)
{
	if (time_ms >= 0)
		time_ms += ms;
	else
		__real_clock_sleep(ms);
	if (ends == 0)
		return;
	assert_int_equal(kill(ends, SIGKILL), 0);
	assert_int_equal(waitpid(ends, NULL, 0), ends);
	ends = 0;
}

int64_t __wrap_clock_ms(void)
{
	return time_ms >= 0 ? time_ms : __real_clock_ms();
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

static void take_beside_one_that_tries(void **state)
{
	pid_t pid;
	int fd;

	(void)state;
	scratch_write("file", "", 0600);
	pid = start_owner(LOCK_EX, 60000);
	time_ms = 0;
	assert_int_equal(filelock_take_soon("file", false), -1); /* it stays */
	assert_int_equal(errno, EWOULDBLOCK);
	assert_in_range(time_ms, 1, 1000);
	ends = pid;
	fd = filelock_take_soon("file", false);
	assert_true(fd >= 0);
	assert_int_equal(filelock_take_soon("gone", false), -1);
	assert_int_equal(errno, ENOENT);
	time_ms = -1;
	(void)close(fd);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(one_writer),
		IN_SCRATCH(lock_of_another_process),
		IN_SCRATCH(many_readers),
		IN_SCRATCH(look_beside_an_owner),
		IN_SCRATCH(own_beside_a_reader),
		IN_SCRATCH(take_beside_one_that_tries),
		IN_SCRATCH(what_cannot_be_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
