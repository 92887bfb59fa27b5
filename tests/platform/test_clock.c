/* Times: how they are compared, and what is left until then. */
#include "platform/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <limits.h>

static void test_deadlines(void **state)
{
	int64_t now = clock_ms();

	(void)state;
	assert_int_equal(clock_deadline_ms(-1), -1);
	assert_int_equal(clock_deadline_ms(INT64_MAX), -1);
	assert_true(clock_deadline_ms(0) >= now);
	assert_true(clock_deadline_ms(1000) >= now + 1000);
}

static void test_time_left(void **state)
{
	int64_t now = clock_ms();

	(void)state;
	assert_int_equal(clock_left_ms(-1), -1);
	assert_int_equal(clock_left_ms(now), 0);
	assert_int_equal(clock_left_ms(INT64_MAX), INT_MAX);
	assert_in_range(clock_left_ms(now + 60000), 1, 60000);
}

static void test_earlier(void **state)
{
	(void)state;
	assert_int_equal(clock_earlier(-1, -1), -1);
	assert_int_equal(clock_earlier(-1, 0), 0);
	assert_int_equal(clock_earlier(0, -1), 0);
	assert_int_equal(clock_earlier(7, 8), 7);
	assert_int_equal(clock_earlier(8, 7), 7);
	assert_int_equal(clock_earlier(7, 7), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_time_left),
		cmocka_unit_test(test_earlier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
