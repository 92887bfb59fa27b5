/* A wait set with children, alone and together with other things. */
#include "platform/waitset.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/clock.h"
#include "waiting.h"

enum { HOUR_MS = 3600 * 1000, CHILDREN = 200 };

static void watch(int fd, uintptr_t tag)
{
	assert_int_equal(waitset_watch_fd(waiting.set, fd, tag, &waiting.err), 0);
}

static void watch_child(pid_t pid, uintptr_t tag)
{
	assert_int_equal(waitset_watch_child(waiting.set, pid, tag, &waiting.err), 0);
}

/* Starts a child that ends at once, or when no other process has the pipe's write end open. */
static pid_t start_child(bool ends_at_once)
{
	pid_t pid = fork();
	char byte;

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	(void)close(waiting.out);
	if (!ends_at_once)
		(void)!read(waiting.in, &byte, 1);
	_exit(0);
}

static void wait_until_ended(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void reap(pid_t pid)
{
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_end_of_a_child_is_told_once(void **state)
{
	pid_t pid = start_child(false);

	(void)state;
	watch_child(pid, 5);
	waiting_assert_nothing();
	(void)close(waiting.out);
	waiting.out = -1;
	waiting_assert_wake(WAKE_CHILD, 5);
	/* The child is not reaped yet. */
	wait_until_ended(pid);
	waiting_assert_nothing();
	reap(pid);
}

static void test_child_that_ended_before_it_was_watched_is_told(void **state)
{
	pid_t pid = start_child(true);

	(void)state;
	wait_until_ended(pid);
	watch_child(pid, 6);
	waiting_assert_wake(WAKE_CHILD, 6);
	reap(pid);
	waiting_assert_nothing();
}

static void test_reaped_child_cannot_be_watched(void **state)
{
	pid_t pid = start_child(true);

	(void)state;
	reap(pid);
	assert_int_equal(waitset_watch_child(waiting.set, pid, 1, &waiting.err), -1);
	assert_int_equal(waiting.err.status, STATUS_OS);
}

static void test_every_one_of_many_children_is_told(void **state)
{
	pid_t pids[CHILDREN];
	bool told[CHILDREN] = { false };

	(void)state;
	for (uintptr_t i = 0; i < CHILDREN; i++) {
		pids[i] = start_child(false);
		watch_child(pids[i], i);
	}
	(void)close(waiting.out);
	waiting.out = -1;
	for (int i = 0; i < CHILDREN; i++) {
		assert_int_equal(waitset_next(waiting.set, -1, &waiting.wake, &waiting.err), 1);
		assert_int_equal(waiting.wake.kind, WAKE_CHILD);
		assert_in_range(waiting.wake.tag, 0, CHILDREN - 1);
		assert_false(told[waiting.wake.tag]);
		told[waiting.wake.tag] = true;
		reap(pids[waiting.wake.tag]);
	}
	waiting_assert_nothing();
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_set_with_watches_can_be_freed(void **state)
{
	pid_t pid = start_child(false);

	(void)state;
	watch(waiting.in, 1);
	watch_child(pid, 2);
	waiting_set_deadline(clock_ms() + HOUR_MS);
	waitset_free(waiting.set);
	waiting.set = NULL;
	assert_int_equal(write(waiting.out, "x", 1), 1);
	reap(pid);
	waitset_free(NULL);
}

/* A child that is given up is reaped by the caller when its end is told, else with the set. */
static void test_children_that_are_left(void **state)
{
	pid_t told = start_child(true), ends = start_child(true), hangs = start_child(false);
	int64_t began_ms;

	(void)state;
	watch_child(told, 1);
	waitset_leave_child(waiting.set, told);
	waiting_assert_wake(WAKE_CHILD, 1);
	watch_child(ends, 2);
	watch_child(hangs, 3);
	waitset_leave_child(waiting.set, ends);
	waitset_leave_child(waiting.set, hangs);
	began_ms = clock_ms();
	waitset_free(waiting.set);
	waiting.set = NULL;
	assert_true(clock_ms() - began_ms >= 1000); /* for the one that hangs */
	assert_int_equal(waitpid(ends, NULL, WNOHANG), -1);
	assert_int_equal(waitpid(hangs, NULL, WNOHANG), 0);
	assert_int_equal(write(waiting.out, "x", 1), 1);
	reap(hangs);
	reap(told);
}

static void test_set_can_be_polled_for_each_kind(void **state)
{
	struct pollfd set = { .fd = waitset_fd(waiting.set), .events = POLLIN };
	pid_t pid = start_child(false);
	char byte;

	(void)state;
	assert_int_equal(poll(&set, 1, 0), 0);
	watch(waiting.in, 1);
	assert_int_equal(poll(&set, 1, 0), 0);
	waiting_set_deadline(clock_ms() + 1);
	waiting_assert_pollable();
	waiting_assert_wake(WAKE_DEADLINE, 0);
	waitset_forget_fd(waiting.set, waiting.in);
	watch_child(pid, 2);
	assert_int_equal(write(waiting.out, "x", 1), 1);
	waiting_assert_pollable();
	waiting_assert_wake(WAKE_CHILD, 2);
	reap(pid);
	watch(waiting.in, 3);
	assert_int_equal(write(waiting.out, "x", 1), 1);
	waiting_assert_pollable();
	waiting_assert_wake(WAKE_READABLE, 3);
	assert_int_equal(read(waiting.in, &byte, 1), 1);
	waiting_assert_nothing();
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, waiting_setup, waiting_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(end_of_a_child_is_told_once),
		TEST(child_that_ended_before_it_was_watched_is_told),
		TEST(reaped_child_cannot_be_watched),
		TEST(every_one_of_many_children_is_told),
		TEST(set_with_watches_can_be_freed),
		TEST(children_that_are_left),
		TEST(set_can_be_polled_for_each_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
