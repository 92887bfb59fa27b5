/* The rate limit of automatic boots: windows and growing delays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/rate_limit.h"

static const struct backoff usual = { false, 1000, 60000, 60000, 2 };

static int64_t delay_after(
    struct rate_limit *r, const struct backoff *backoff, enum cause cause, int64_t uptime_ms)
{
	rate_limit_exit(r, backoff, uptime_ms);
	return rate_limit_delay(r, backoff, cause);
}

static void test_window(void **state)
{
	struct restart_limit limit = { false, 3, 30000 };
	struct rate_limit rate = { 0 };

	(void)state;
	for (int64_t now = 0; now < 3000; now += 1000) {
		assert_true(rate_limit_allows(&rate, &limit, now));
		rate_limit_boot(&rate, now, 0);
	}
	assert_false(rate_limit_allows(&rate, &limit, 3000));
	assert_false(rate_limit_allows(&rate, &limit, 29999));
	/* The first of the three has left the window. */
	assert_true(rate_limit_allows(&rate, &limit, 30000));
	limit.off = true;
	assert_true(rate_limit_allows(&rate, &limit, 3000));
	rate_limit_free(&rate);
}

/* Time spent in delays does not count as uptime. */
static void test_waiting_does_not_count(void **state)
{
	struct restart_limit limit = { false, 2, 30000 };
	struct rate_limit rate = { 0 };

	(void)state;
	rate_limit_boot(&rate, 0, 60000);
	assert_true(rate_limit_allows(&rate, &limit, 60000));
	rate_limit_boot(&rate, 60000, 60000);
	assert_false(rate_limit_allows(&rate, &limit, 120000));
	assert_true(rate_limit_allows(&rate, &limit, 150000));
	rate_limit_free(&rate);
}

static void test_delay_that_is_cut(void **state)
{
	struct restart_limit limit = { false, 1, 30000 };
	struct rate_limit rate = { 0 };

	(void)state;
	rate_limit_boot(&rate, 0, 60000);
	rate_limit_cut_delay(&rate, 50000);
	assert_false(rate_limit_allows(&rate, &limit, 10000 + 29999));
	assert_true(rate_limit_allows(&rate, &limit, 10000 + 30000));
	rate_limit_free(&rate);
}

/* A VM that reboots once a minute does so for ever. */
static void test_steady_reboots(void **state)
{
	struct restart_limit limit = { false, MAX_RESTART_COUNT, 30000 };
	struct rate_limit rate = { 0 };

	(void)state;
	for (int64_t i = 0; i < 1000; i++) {
		assert_true(rate_limit_allows(&rate, &limit, i * 1000));
		rate_limit_boot(&rate, i * 1000, 0);
	}
	rate_limit_free(&rate);
}

/* The window of the most boots that a limit counts is exact at every number of boots. */
static void test_window_of_most_boots(void **state)
{
	struct restart_limit limit = { false, MAX_RESTART_COUNT, 1000 };
	struct rate_limit rate = { 0 };

	(void)state;
	for (int64_t i = 0; i < MAX_RESTART_COUNT; i++)
		rate_limit_boot(&rate, i, 0);
	for (int64_t i = 0; i < 2 * MAX_RESTART_COUNT; i++) {
		assert_false(rate_limit_allows(&rate, &limit, i + 999));
		assert_true(rate_limit_allows(&rate, &limit, i + 1000));
		rate_limit_boot(&rate, MAX_RESTART_COUNT + i, 0);
	}
	rate_limit_free(&rate);
}

/* After a reset only later boots count, but the numbers of boots go on. */
static void test_forgetting(void **state)
{
	struct restart_limit limit = { false, 2, 30000 };
	struct rate_limit rate = { 0 };

	(void)state;
	rate_limit_boot(&rate, 0, 0);
	rate_limit_boot(&rate, 1, 0);
	assert_int_equal(delay_after(&rate, &usual, CAUSE_ERROR, 10), 1000);
	assert_int_equal(delay_after(&rate, &usual, CAUSE_ERROR, 10), 2000);
	assert_false(rate_limit_allows(&rate, &limit, 2));
	rate_limit_forget(&rate);
	assert_int_equal(rate.boots, 2);
	assert_int_equal(delay_after(&rate, &usual, CAUSE_ERROR, 10), 1000);
	for (int64_t now = 2; now < 4; now++) {
		assert_true(rate_limit_allows(&rate, &limit, now));
		rate_limit_boot(&rate, now, 0);
	}
	assert_false(rate_limit_allows(&rate, &limit, 4));
	assert_false(rate_limit_allows(&rate, &limit, 30001));
	assert_true(rate_limit_allows(&rate, &limit, 30002));
	rate_limit_free(&rate);
}

static void test_delays_grow(void **state)
{
	static const int64_t expected[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct rate_limit rate = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(delay_after(&rate, &usual, CAUSE_ERROR, 10), expected[i]);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(delay_after(&rate, &usual, CAUSE_KILLED, 10), 60000);
	assert_int_equal(delay_after(&rate, &usual, CAUSE_REBOOT, 10), 0);
	assert_int_equal(delay_after(&rate, &usual, CAUSE_ERROR, 59999), 60000);
	assert_int_equal(delay_after(&rate, &usual, CAUSE_ERROR, 60000), 1000);
}

/* A boot that stayed up starts the delays over, whatever decides about the next one. */
static void test_a_delay_of_its_own_counts(void **state)
{
	struct rate_limit rate = { 0 };

	(void)state;
	assert_int_equal(delay_after(&rate, &usual, CAUSE_ERROR, 10), 1000);
	assert_int_equal(delay_after(&rate, &usual, CAUSE_ERROR, 10), 2000);
	rate_limit_exit(&rate, &usual, 59999);
	assert_int_equal(rate_limit_delay(&rate, &usual, CAUSE_ERROR), 4000);
	rate_limit_exit(&rate, &usual, 60000); /* whose exit had a delay of its own */
	assert_int_equal(rate_limit_delay(&rate, &usual, CAUSE_ERROR), 1000);
}

/* The delay grows 1000 times unless it reaches a maximum before. */
static void test_limit_of_growth(void **state)
{
	const struct backoff slow = { false, 1000000, INT64_C(1000000000000), 60000, 1.001 };
	struct rate_limit rate = { 0 };
	int64_t before = 0, delay = 0;

	(void)state;
	for (int i = 0; i <= 1000; i++) {
		before = delay;
		delay = delay_after(&rate, &slow, CAUSE_ERROR, 10);
		assert_true(delay > before);
	}
	assert_int_equal(delay_after(&rate, &slow, CAUSE_ERROR, 10), delay);
}

static void test_switched_off(void **state)
{
	struct backoff off = usual;
	struct rate_limit rate = { 0 };

	(void)state;
	off.off = true;
	assert_int_equal(delay_after(&rate, &off, CAUSE_ERROR, 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_waiting_does_not_count),
		cmocka_unit_test(test_delay_that_is_cut),
		cmocka_unit_test(test_steady_reboots),
		cmocka_unit_test(test_window_of_most_boots),
		cmocka_unit_test(test_forgetting),
		cmocka_unit_test(test_delays_grow),
		cmocka_unit_test(test_a_delay_of_its_own_counts),
		cmocka_unit_test(test_limit_of_growth),
		cmocka_unit_test(test_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
