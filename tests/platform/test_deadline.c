/* The deadline of a wait set, and waits with a limit. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/time.h>

#include "platform/clock.h"
#include "waiting.h"

enum { HOUR_MS = 3600 * 1000 };

static void test_deadline_comes_once_and_not_early(void **state)
{
	int64_t at = clock_ms() + 30;

	(void)state;
	waiting_set_deadline(at);
	waiting_assert_wake(WAKE_DEADLINE, 0);
	assert_true(clock_ms() >= at);
	assert_int_equal(waitset_next(waiting.set, 40, &waiting.wake, &waiting.err), 0);
}

static void test_deadline_in_the_past_comes(void **state)
{
	const int64_t past[] = { 0, 1, clock_ms() - 1, clock_ms() };

	(void)state;
	for (size_t i = 0; i < sizeof(past) / sizeof(*past); i++) {
		waiting_set_deadline(past[i]);
		waiting_assert_wake(WAKE_DEADLINE, 0);
		waiting_assert_nothing();
	}
}

static void test_later_deadline_takes_back_one_that_has_come(void **state)
{
	(void)state;
	waiting_set_deadline(0);
	waiting_assert_pollable();
	waiting_set_deadline(clock_ms() + HOUR_MS);
	waiting_assert_nothing();
}

static void test_earlier_deadline_replaces_a_later_one(void **state)
{
	(void)state;
	waiting_set_deadline(INT64_MAX);
	waiting_assert_nothing();
	waiting_set_deadline(clock_ms() + HOUR_MS);
	waiting_assert_nothing();
	waiting_set_deadline(clock_ms() + 1);
	waiting_assert_wake(WAKE_DEADLINE, 0);
}

static void test_disarmed_deadline_does_not_come(void **state)
{
	(void)state;
	waiting_set_deadline(0);
	waiting_assert_pollable();
	waiting_set_deadline(-1);
	waiting_assert_nothing();
	waiting_set_deadline(-1);
	waiting_assert_nothing();
}

static void do_nothing(int signal)
{
	(void)signal;
}

static void test_interrupted_wait_goes_on(void **state)
{
	struct sigaction action = { .sa_handler = do_nothing };
	struct sigaction before;
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	int64_t at = clock_ms() + 40;

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(waitset_next(waiting.set, 40, &waiting.wake, &waiting.err), 0);
	assert_true(clock_ms() >= at);
	waiting_set_deadline(clock_ms() + 40);
	waiting_assert_wake(WAKE_DEADLINE, 0);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

static void test_time_left_fits_into_poll(void **state)
{
	(void)state;
	assert_int_equal(clock_left_ms(-1), -1);
	assert_int_equal(clock_left_ms(0), 0);
	assert_int_equal(clock_left_ms(clock_ms()), 0);
	assert_int_equal(clock_left_ms(INT64_MAX), INT32_MAX);
	assert_in_range(clock_left_ms(clock_ms() + HOUR_MS), 1, HOUR_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, waiting_setup, waiting_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deadline_comes_once_and_not_early),
		TEST(deadline_in_the_past_comes),
		TEST(later_deadline_takes_back_one_that_has_come),
		TEST(earlier_deadline_replaces_a_later_one),
		TEST(disarmed_deadline_does_not_come),
		TEST(interrupted_wait_goes_on),
		TEST(time_left_fits_into_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
