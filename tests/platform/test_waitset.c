/* A wait set with descriptors, one of which is another wait set. */
#include "platform/waitset.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/clock.h"
#include "waiting.h"

static void watch(int fd, uintptr_t tag)
{
	assert_int_equal(waitset_watch_fd(waiting.set, fd, tag, &waiting.err), 0);
}

static void test_empty_set_waits_no_longer_than_asked(void **state)
{
	int64_t before = clock_ms();

	(void)state;
	waiting_assert_nothing();
	assert_int_equal(waitset_next(waiting.set, 20, &waiting.wake, &waiting.err), 0);
	assert_true(clock_ms() >= before + 20);
}

static void test_readable_descriptor_is_told_until_it_is_read(void **state)
{
	char byte;

	(void)state;
	watch(waiting.in, 7);
	waiting_assert_nothing();
	assert_int_equal(write(waiting.out, "x", 1), 1);
	waiting_assert_wake(WAKE_READABLE, 7);
	waiting_assert_wake(WAKE_READABLE, 7);
	assert_int_equal(read(waiting.in, &byte, 1), 1);
	waiting_assert_nothing();
}

static void test_closed_other_end_of_a_pipe_is_told(void **state)
{
	(void)state;
	watch(waiting.in, 3);
	(void)close(waiting.out);
	waiting.out = -1;
	waiting_assert_wake(WAKE_READABLE, 3);
}

static void test_closed_other_end_of_a_socket_is_told(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	watch(pair[0], 4);
	waiting_assert_nothing();
	(void)close(pair[1]);
	waiting_assert_wake(WAKE_READABLE, 4);
	waitset_forget_fd(waiting.set, pair[0]);
	waiting_assert_nothing();
	(void)close(pair[0]);
}

static void test_forgotten_descriptor_is_silent_and_open(void **state)
{
	char byte;

	(void)state;
	watch(waiting.in, 1);
	assert_int_equal(write(waiting.out, "x", 1), 1);
	waitset_forget_fd(waiting.set, waiting.in);
	waitset_forget_fd(waiting.set, waiting.in);
	waiting_assert_nothing();
	assert_int_equal(read(waiting.in, &byte, 1), 1);
}

static void test_forgotten_descriptor_can_be_watched_again(void **state)
{
	(void)state;
	watch(waiting.in, 1);
	waitset_forget_fd(waiting.set, waiting.in);
	watch(waiting.in, 2);
	assert_int_equal(write(waiting.out, "x", 1), 1);
	waiting_assert_wake(WAKE_READABLE, 2);
}

static void test_watching_again_changes_the_tag(void **state)
{
	(void)state;
	watch(waiting.in, 1);
	watch(waiting.in, 2);
	assert_int_equal(write(waiting.out, "x", 1), 1);
	waiting_assert_wake(WAKE_READABLE, 2);
	waitset_forget_fd(waiting.set, waiting.in);
	waiting_assert_nothing();
}

static void test_closed_descriptor_cannot_be_watched(void **state)
{
	(void)state;
	assert_int_equal(waitset_watch_fd(waiting.set, 1000, 1, &waiting.err), -1);
	assert_int_equal(waiting.err.status, STATUS_OS);
	assert_non_null(strstr(waiting.err.text, "1000"));
	waiting_assert_nothing();
}

static void test_descriptor_nobody_reads_does_not_starve_others(void **state)
{
	int pair[2];
	bool seen[2] = { false, false };

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(write(waiting.out, "x", 1), 1);
	watch(pair[0], 0);
	watch(waiting.in, 1);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(waitset_next(waiting.set, -1, &waiting.wake, &waiting.err), 1);
		seen[waiting.wake.tag] = true;
	}
	assert_true(seen[0] && seen[1]);
	waitset_forget_fd(waiting.set, pair[0]);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void test_set_can_be_watched_by_another_one(void **state)
{
	struct waitset *outer;

	(void)state;
	assert_int_equal(waitset_new(&outer, &waiting.err), 0);
	assert_int_equal(waitset_watch_fd(outer, waitset_fd(waiting.set), 9, &waiting.err), 0);
	assert_int_equal(waitset_next(outer, 0, &waiting.wake, &waiting.err), 0);
	waiting_set_deadline(0);
	assert_int_equal(waitset_next(outer, -1, &waiting.wake, &waiting.err), 1);
	assert_int_equal(waiting.wake.kind, WAKE_READABLE);
	assert_int_equal(waiting.wake.tag, 9);
	waitset_free(outer);
}

/* A sender may wait for space only. */
static void test_what_is_waited_for_can_be_chosen(void **state)
{
	char bytes[65536] = { 0 };
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	watch(pair[0], 5);
	waiting_assert_nothing();
	waitset_want(waiting.set, pair[0], 6, true, true);
	waiting_assert_wake(WAKE_READABLE, 6);
	waitset_want(waiting.set, pair[0], 6, true, false);
	waiting_assert_nothing();
	waitset_want(waiting.set, pair[0], 6, true, true);
	while (write(pair[0], bytes, sizeof(bytes)) > 0)
		;
	waiting_assert_nothing();
	assert_int_equal(write(pair[1], "x", 1), 1);
	waiting_assert_wake(WAKE_READABLE, 6);
	waitset_want(waiting.set, pair[0], 6, false, true);
	waiting_assert_nothing();
	assert_true(read(pair[1], bytes, sizeof(bytes)) > 0);
	while (read(pair[1], bytes, sizeof(bytes)) > 0)
		;
	waiting_assert_wake(WAKE_READABLE, 6);
	waitset_want(waiting.set, pair[0], 8, true, false);
	waiting_assert_wake(WAKE_READABLE, 8);
	waitset_want(waiting.set, pair[0], 8, true, true);
	waitset_forget_fd(waiting.set, pair[0]);
	waitset_want(waiting.set, pair[0], 8, false, false);
	waiting_assert_nothing();
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void test_choice_does_not_begin_to_watch(void **state)
{
	(void)state;
	assert_int_equal(write(waiting.out, "x", 1), 1);
	waitset_want(waiting.set, waiting.in, 1, true, true);
	waiting_assert_nothing();
	watch(waiting.in, 2);
	waitset_forget_fd(waiting.set, waiting.in);
	waitset_want(waiting.set, waiting.in, 3, true, false);
	waiting_assert_nothing();
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, waiting_setup, waiting_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_set_waits_no_longer_than_asked),
		TEST(readable_descriptor_is_told_until_it_is_read),
		TEST(closed_other_end_of_a_pipe_is_told),
		TEST(closed_other_end_of_a_socket_is_told),
		TEST(forgotten_descriptor_is_silent_and_open),
		TEST(forgotten_descriptor_can_be_watched_again),
		TEST(watching_again_changes_the_tag),
		TEST(closed_descriptor_cannot_be_watched),
		TEST(descriptor_nobody_reads_does_not_starve_others),
		TEST(set_can_be_watched_by_another_one),
		TEST(what_is_waited_for_can_be_chosen),
		TEST(choice_does_not_begin_to_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
