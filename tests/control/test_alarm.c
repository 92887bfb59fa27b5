/* A set of times, against a plain search for the earliest one. */
#include "control/alarm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../base/dice.h"

#define ALARMS 40

static void expect_earliest(const struct alarms *set, const struct alarm *alarm)
{
	const struct alarm *first = alarms_first(set);
	size_t count = 0;

	for (size_t i = 0; i < ALARMS; i++) {
		if (alarm[i].place == 0)
			continue;
		count++;
		assert_non_null(first);
		assert_true(first->at_ms <= alarm[i].at_ms);
		assert_ptr_equal(set->item[alarm[i].place - 1], &alarm[i]);
	}
	assert_int_equal(set->count, count);
	assert_true((first == NULL) == (count == 0));
}

static void test_earliest_of_many(void **state)
{
	struct alarms set = { 0 };
	struct alarm alarm[ALARMS] = { 0 };
	struct dice dice;

	(void)state;
	dice_start(&dice, 7);
	for (int i = 0; i < 20000; i++) {
		struct alarm *one = &alarm[dice_roll(&dice, ALARMS)];

		if (dice_roll(&dice, 3) == 0)
			alarms_cancel(&set, one);
		else
			alarms_set(&set, one, (int64_t)dice_roll(&dice, 100), one);
		expect_earliest(&set, alarm);
	}
	while (set.count > 0) {
		const struct alarm *first = alarms_first(&set);

		alarms_cancel(&set, first->owner);
		expect_earliest(&set, alarm);
	}
	alarms_set(&set, &alarm[0], 7, NULL);
	alarms_free(&set);
	assert_null(alarms_first(&set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_earliest_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
