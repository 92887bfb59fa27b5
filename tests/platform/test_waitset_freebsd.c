/* What a wait set makes of failures of kqueue(2), and of a child that kqueue(2) does not find. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "platform/clock.h"
#include "waiting.h"

static int teardown(void **state)
{
	freebsd.kqueue_error = 0;
	freebsd.kevent_error = 0;
	freebsd.misses_ended = false;
	return waiting_teardown(state);
}

static void assert_error(const char *text)
{
	assert_int_equal(waiting.err.status, STATUS_OS);
	assert_non_null(strstr(waiting.err.text, text));
	error_clear(&waiting.err);
}

static void test_failures(void **state)
{
	struct waitset *other = NULL;

	(void)state;
	freebsd.kqueue_error = EMFILE;
	assert_int_equal(waitset_new(&other, &waiting.err), -1);
	assert_null(other);
	assert_error(strerror(EMFILE));
	freebsd.kevent_error = ENOMEM;
	assert_int_equal(waitset_watch_fd(waiting.set, waiting.in, 1, &waiting.err), -1);
	assert_error(strerror(ENOMEM));
	assert_int_equal(waitset_watch_child(waiting.set, getpid(), 1, &waiting.err), -1);
	assert_error(strerror(ENOMEM));
	assert_int_equal(waitset_set_deadline(waiting.set, clock_ms(), &waiting.err), -1);
	assert_error("cannot set a deadline");
	assert_int_equal(waitset_next(waiting.set, -1, &waiting.wake, &waiting.err), -1);
	assert_error("cannot wait for events");
	freebsd.kevent_error = 0;
	waiting_assert_nothing();
}

static void test_set_is_close_on_exec(void **state)
{
	(void)state;
	assert_int_equal(fcntl(waitset_fd(waiting.set), F_GETFD), FD_CLOEXEC);
}

static void test_child_that_is_missed_is_told(void **state)
{
	pid_t pid = fork();
	siginfo_t info;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	freebsd.misses_ended = true;
	assert_int_equal(waitset_watch_child(waiting.set, pid, 8, &waiting.err), 0);
	waiting_assert_pollable();
	waiting_assert_wake(WAKE_CHILD, 8);
	waiting_assert_nothing();
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(waitset_watch_child(waiting.set, pid, 8, &waiting.err), -1);
	assert_error(strerror(ECHILD));
}

static void test_deadline_of_centuries(void **state)
{
	(void)state;
	waiting_set_deadline(INT64_MAX);
	waiting_set_deadline(INT64_MAX - 1);
	waiting_assert_nothing();
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, waiting_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(failures),
		TEST(set_is_close_on_exec),
		TEST(child_that_is_missed_is_told),
		TEST(deadline_of_centuries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
