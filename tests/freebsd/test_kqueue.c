/*
 * The stand-in for kqueue(2) has the properties of FreeBSD's that vmrun relies on.  Each is in
 * kqueue(2) or in sys/kern/kern_event.c.
 */
#include <sys/event.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

static const struct timespec at_once;
static int kq, in, out;
static struct kevent event;

static int setup(void **state)
{
	int fds[2];

	(void)state;
	if (pipe(fds) < 0)
		return -1;
	in = fds[0];
	out = fds[1];
	kq = kqueue();
	return kq < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	freebsd.misses_ended = false;
	(void)close(kq);
	(void)close(in);
	(void)close(out);
	return 0;
}

/* Makes one change, for which there is no room to report an error. */
static int change(int ident, short filter, unsigned flags, unsigned fflags, int64_t data)
{
	struct kevent kev;

	EV_SET(&kev, (uintptr_t)ident, filter, (unsigned short)flags, fflags, data, NULL);
	return kevent(kq, &kev, 1, NULL, 0, NULL);
}

static void must_change(int ident, short filter, unsigned flags, unsigned fflags, int64_t data)
{
	assert_int_equal(change(ident, filter, flags, fflags, data), 0);
}

static void must_fail(int error, int ident, short filter, unsigned flags, int64_t data)
{
	assert_int_equal(change(ident, filter, flags, 0, data), -1);
	assert_int_equal(errno, error);
}

/* Takes the events that are there now. */
static int take(void)
{
	return kevent(kq, NULL, 0, &event, 1, &at_once);
}

/* Waits for an event, which is of this filter. */
static void wait_for(short filter)
{
	assert_int_equal(kevent(kq, NULL, 0, &event, 1, NULL), 1);
	assert_int_equal(event.filter, filter);
}

static bool is_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static void write_byte(void)
{
	assert_int_equal(write(out, "x", 1), 1);
}

static void test_changes_that_fail(void **state)
{
	struct kevent kev;

	(void)state;
	must_fail(ENOENT, in, EVFILT_READ, EV_DELETE, 0);
	must_fail(ENOENT, in, EVFILT_READ, EV_ENABLE, 0);
	must_fail(EBADF, 1000, EVFILT_READ, EV_ADD, 0);
	must_fail(EINVAL, kq, EVFILT_READ, EV_ADD, 0);
	must_fail(EINVAL, in, EVFILT_READ, EV_ADD | EV_ENABLE | EV_DISABLE, 0);
	must_fail(EINVAL, in, 1, EV_ADD, 0);
	must_fail(EINVAL, 1, EVFILT_TIMER, EV_ADD, -1);
	/* With room, a failed change is an event, and the wait is left out. */
	EV_SET(&kev, (uintptr_t)in, EVFILT_READ, EV_DELETE, 0, 0, NULL);
	assert_int_equal(kevent(kq, &kev, 1, &event, 1, NULL), 1);
	assert_int_equal(event.flags, EV_ERROR);
	assert_int_equal(event.data, ENOENT);
	EV_SET(&kev, (uintptr_t)in, EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, NULL);
	assert_int_equal(kevent(kq, &kev, 1, &event, 1, NULL), 1);
	assert_int_equal(event.flags, EV_ERROR);
	assert_int_equal(event.data, 0);
}

static void test_calls_that_fail(void **state)
{
	const struct timespec bad = { 0, 1000000000 };

	(void)state;
	assert_int_equal(kevent(kq, NULL, 0, &event, 1, &bad), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(kevent(in, NULL, 0, &event, 1, &at_once), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(kevent(1000, NULL, 0, &event, 1, &at_once), -1);
	assert_int_equal(errno, EBADF);
	/* Without room it does not wait. */
	assert_int_equal(kevent(kq, NULL, 0, NULL, 0, NULL), 0);
}

static void test_bytes_and_end_of_data(void **state)
{
	(void)state;
	must_change(in, EVFILT_READ, EV_ADD, 0, 0);
	assert_int_equal(take(), 0);
	write_byte();
	write_byte();
	assert_int_equal(take(), 1);
	assert_int_equal(event.data, 2);
	assert_int_equal(event.flags & EV_EOF, 0);
	(void)close(out);
	assert_int_equal(take(), 1);
	assert_int_equal(event.flags & EV_EOF, EV_EOF);
	/* The data comes with the end. */
	assert_int_equal(event.data, 2);
	out = -1;
}

/* A queue stays readable until a scan finds out that an event is over. */
static void test_queue_is_readable_until_it_is_asked(void **state)
{
	char byte;

	(void)state;
	must_change(in, EVFILT_READ, EV_ADD, 0, 0);
	assert_false(is_readable(kq));
	write_byte();
	assert_true(is_readable(kq));
	assert_int_equal(take(), 1);
	assert_int_equal(read(in, &byte, 1), 1);
	assert_true(is_readable(kq));
	assert_int_equal(take(), 0);
	assert_false(is_readable(kq));
	/* The same with an event that is disabled while it is queued. */
	write_byte();
	assert_int_equal(take(), 1);
	must_change(in, EVFILT_READ, EV_DISABLE, 0, 0);
	assert_true(is_readable(kq));
	assert_int_equal(take(), 0);
	assert_false(is_readable(kq));
}

static void test_enabling(void **state)
{
	(void)state;
	write_byte();
	must_change(in, EVFILT_READ, EV_ADD | EV_DISABLE, 0, 0);
	assert_int_equal(take(), 0);
	/* Adding again does not enable, whatever kqueue(2) says: kqueue_register(). */
	must_change(in, EVFILT_READ, EV_ADD, 0, 0);
	assert_int_equal(take(), 0);
	must_change(in, EVFILT_READ, EV_ENABLE, 0, 0);
	assert_int_equal(take(), 1);
	must_change(in, EVFILT_READ, EV_DELETE, 0, 0);
	must_change(in, EVFILT_READ, EV_ADD | EV_DISPATCH, 0, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(take(), 0);
	must_change(in, EVFILT_READ, EV_ENABLE, 0, 0);
	assert_int_equal(take(), 1);
	must_change(in, EVFILT_READ, EV_DELETE, 0, 0);
	must_change(in, EVFILT_READ, EV_ADD | EV_ONESHOT, 0, 0);
	assert_int_equal(take(), 1);
	must_fail(ENOENT, in, EVFILT_READ, EV_DELETE, 0);
}

/* The other end of a socket is gone, and neither filter is enabled. */
static void test_disabled_filters_do_not_tell_of_the_end(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	must_change(pair[0], EVFILT_READ, EV_ADD | EV_DISABLE, 0, 0);
	must_change(pair[0], EVFILT_WRITE, EV_ADD | EV_DISABLE, 0, 0);
	(void)close(pair[1]);
	assert_int_equal(take(), 0);
	assert_false(is_readable(kq));
	must_change(pair[0], EVFILT_WRITE, EV_ENABLE, 0, 0);
	wait_for(EVFILT_WRITE);
	assert_int_equal(event.flags & EV_EOF, EV_EOF);
	(void)close(pair[0]);
}

static void test_close_removes_events(void **state)
{
	int copy = dup(in), again;

	(void)state;
	write_byte();
	must_change(in, EVFILT_READ, EV_ADD, 0, 0);
	assert_true(is_readable(kq));
	(void)close(in);
	assert_int_equal(take(), 0);
	again = dup(copy);
	assert_int_equal(again, in);
	must_fail(ENOENT, in, EVFILT_READ, EV_DELETE, 0);
	(void)close(copy);
}

static void test_queue_in_a_queue(void **state)
{
	int inner = kq, outer = kqueue();

	(void)state;
	kq = outer;
	must_fail(EINVAL, inner, EVFILT_WRITE, EV_ADD, 0);
	must_change(inner, EVFILT_READ, EV_ADD, 0, 0);
	assert_int_equal(take(), 0);
	kq = inner;
	must_change(7, EVFILT_USER, EV_ADD, 0, 0);
	must_change(7, EVFILT_USER, 0, NOTE_TRIGGER, 0);
	kq = outer;
	assert_int_equal(take(), 1);
	(void)close(outer);
	kq = inner;
	assert_int_equal(take(), 1);
	assert_int_equal(event.ident, 7);
}

static void test_user_event(void **state)
{
	(void)state;
	/* NOTE_TRIGGER has no effect together with EV_ADD. */
	must_change(1, EVFILT_USER, EV_ADD | EV_ONESHOT, NOTE_TRIGGER, 0);
	assert_int_equal(take(), 0);
	must_change(1, EVFILT_USER, 0, NOTE_TRIGGER, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(take(), 0);
	must_fail(ENOENT, 1, EVFILT_USER, EV_DELETE, 0);
}

/* Starts a child that waits for the pipe, and then exits with 3. */
static pid_t start_child(void)
{
	pid_t pid = fork();
	char byte;

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	(void)!read(in, &byte, 1);
	_exit(3);
}

static void test_end_of_a_process(void **state)
{
	pid_t pid = start_child();

	(void)state;
	must_change(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0);
	assert_int_equal(take(), 0);
	write_byte();
	wait_for(EVFILT_PROC);
	assert_int_equal(event.fflags, NOTE_EXIT);
	assert_int_equal(event.flags & (EV_EOF | EV_ONESHOT), EV_EOF | EV_ONESHOT);
	assert_int_equal(event.data, 3 << 8);
	assert_int_equal(take(), 0);
	/* A zombie is reported at once, and once. */
	must_change(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(take(), 0);
	freebsd.misses_ended = true;
	assert_int_equal(change(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0), -1);
	assert_int_equal(errno, ESRCH);
	freebsd.misses_ended = false;
	/* The event outlives the process. */
	must_change(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(take(), 1);
	assert_int_equal(change(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void test_timer(void **state)
{
	(void)state;
	/* One of 0 is over at once, and is gone when it has been told. */
	must_change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_MSECONDS, 0);
	wait_for(EVFILT_TIMER);
	assert_int_equal(event.data, 1);
	must_fail(ENOENT, 1, EVFILT_TIMER, EV_DELETE, 0);
	/* Adding it again throws away what it has told. */
	must_change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_NSECONDS, 1);
	while (!is_readable(kq))
		;
	must_change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_SECONDS, 3600);
	assert_int_equal(take(), 0);
	assert_false(is_readable(kq));
	must_change(1, EVFILT_TIMER, EV_DELETE, 0, 0);
	/* A periodic one counts; 0 is 1 of its unit. */
	must_change(2, EVFILT_TIMER, EV_ADD, NOTE_USECONDS, 0);
	wait_for(EVFILT_TIMER);
	wait_for(EVFILT_TIMER);
	assert_true(event.data >= 1);
	must_change(2, EVFILT_TIMER, EV_DELETE, 0, 0);
	/* Two units. */
	assert_int_equal(change(3, EVFILT_TIMER, EV_ADD, NOTE_SECONDS | NOTE_MSECONDS, 1), -1);
	assert_int_equal(errno, EINVAL);
	/* Milliseconds without a unit. */
	must_change(3, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 1);
	wait_for(EVFILT_TIMER);
}

static void test_queue_is_not_inherited(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	must_change(in, EVFILT_READ, EV_ADD, 0, 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(kevent(kq, NULL, 0, &event, 1, &at_once) == -1 && errno == EBADF ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The parent's is as before. */
	write_byte();
	assert_int_equal(take(), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(changes_that_fail),
		TEST(calls_that_fail),
		TEST(bytes_and_end_of_data),
		TEST(queue_is_readable_until_it_is_asked),
		TEST(enabling),
		TEST(disabled_filters_do_not_tell_of_the_end),
		TEST(close_removes_events),
		TEST(queue_in_a_queue),
		TEST(user_event),
		TEST(end_of_a_process),
		TEST(timer),
		TEST(queue_is_not_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
