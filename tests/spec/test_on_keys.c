/* The key `on`: an action for each cause. */
#include "support.h"

#include <string.h>

#include "base/mem.h"
#include "spec/keys.h"

static void test_actions(void **state)
{
	(void)state;
	spec_shows("'on':{'error':'stop','halt':'boot','reboot':'same'}",
	    "'on': {'reboot': 'same','halt': 'boot','error': 'stop'}");
	spec_shows("'on':{'triple_fault':{'boot':'x'}}", "'on': {'triple_fault': {'boot': 'x'}}");
	spec_shows(
	    "'on':{'killed':{'boot':'x','delay':0}}", "'on': {'killed': {'boot': 'x','delay': 0}}");
	spec_shows("'on':{'killed':{'boot':'x','delay':1.25}}",
	    "'on': {'killed': {'boot': 'x','delay': 1.25}}");
	spec_shows("'on':{'given_up':'wait'}", "'on': {'given_up': 'wait'}");
	spec_shows(
	    "'on':{'given_up':{'boot':'x'}}", "'on': {'given_up': {'boot': 'x','times': 1}}");
}

static void test_values(void **state)
{
	struct spec *spec = spec_of("'on':{'error':{'boot':'x','delay':0.5},'halt':'same'}");
	struct spec *none = spec_of("'on':{}");

	(void)state;
	assert_int_equal(spec->on[CAUSE_ERROR].kind, ACTION_TARGET);
	assert_string_equal(spec->on[CAUSE_ERROR].target, "x");
	assert_true(spec->on[CAUSE_ERROR].delay.given);
	assert_int_equal(spec->on[CAUSE_ERROR].delay.ms, 500);
	assert_int_equal(spec->on[CAUSE_HALT].kind, ACTION_SAME);
	assert_false(spec->on[CAUSE_HALT].delay.given);
	for (int i = 0; i < CAUSES; i++)
		assert_int_equal(none->on[i].kind, ACTION_NONE);
	assert_null(spec_on_status(none, 5));
	spec_free(spec);
	spec_free(none);
}

/* Every cause except a stop request has its own key and its own entry. */
static void test_causes(void **state)
{
	(void)state;
	for (int i = 0; i < CAUSES; i++) {
		const char *name = cause_name((enum cause)i);
		MEM_AUTO char *keys = mem_format("'on':{'%s':'stop'}", name);
		struct spec *spec;

		assert_int_equal(field_find(on_fields, name) == NULL, i == CAUSE_STOPPED);
		if (i == CAUSE_STOPPED)
			continue;
		spec = spec_of(keys);
		for (int k = 0; k < CAUSES; k++)
			assert_int_equal(spec->on[k].kind, k == i ? ACTION_STOP : ACTION_NONE);
		spec_free(spec);
	}
}

static void test_refused(void **state)
{
	(void)state;
	spec_refused("'on':'stop'", "on: expected an object, got a string");
	spec_refused("'on':['stop']", "on: expected an object, got a list");
	spec_refused(
	    "'on':{'rebot':'stop'}", "on.rebot: unknown key \"rebot\", did you mean \"reboot\"?");
	spec_refused("'on':{'stopped':'boot'}",
	    "on.stopped: \"stopped\" cannot have an action: a stop request always stops");
	spec_refused("'on':{'halt':'stpo'}",
	    "on.halt: invalid value \"stpo\": expected one of \"stop\", \"boot\", \"same\" or "
	    "{ \"boot\": TARGET, \"delay\": SECONDS }, did you mean \"stop\"?");
	spec_refused("'on':{'halt':'wait'}", "on.halt: invalid value \"wait\": expected one of");
	spec_refused("'on':{'halt':true}",
	    "on.halt: expected \"stop\", \"boot\", \"same\" or { \"boot\": TARGET, \"delay\": "
	    "SECONDS }, got a boolean");
	spec_refused("'on':{'halt':{}}", "on.halt: \"boot\" is missing");
	spec_refused("'on':{'halt':{'delay':1}}", "on.halt: \"boot\" is missing");
	spec_refused("'on':{'halt':{'boot':''}}", "on.halt.boot: must not be empty");
	spec_refused("'on':{'halt':{'boot':1}}", "on.halt.boot: expected a string");
	spec_refused("'on':{'halt':{'boot':'x','dely':1}}",
	    "on.halt.dely: unknown key \"dely\", did you mean \"delay\"?");
	spec_shows("'on':{'halt':{'boot':'x','delay':86400}}",
	    "'on': {'halt': {'boot': 'x','delay': 86400}}");
	spec_refused(
	    "'on':{'halt':{'boot':'x','delay':-0.1}}", "on.halt.delay: expected 0 to 86400");
	spec_refused(
	    "'on':{'halt':{'boot':'x','delay':86401}}", "on.halt.delay: expected 0 to 86400");
	spec_refused("'on':{'halt':{'boot':'x','delay':'1'}}",
	    "on.halt.delay: expected a number of seconds, got a string");
}

static void test_statuses(void **state)
{
	struct spec *spec = spec_of("'on':{'33':{'boot':'x','delay':2},'255':'stop','5':null}");

	(void)state;
	assert_int_equal(spec_on_status(spec, 33)->kind, ACTION_TARGET);
	assert_int_equal(spec_on_status(spec, 33)->delay.ms, 2000);
	assert_int_equal(spec_on_status(spec, 255)->kind, ACTION_STOP);
	assert_null(spec_on_status(spec, 5));
	assert_null(spec_on_status(spec, 34));
	spec_free(spec);
	spec_shows("'on':{'error':'same','5':'stop','33':{'boot':'x','delay':2}}",
	    "'on': {'error': 'same','33': {'boot': 'x','delay': 2},'5': 'stop'}");
	spec_shows("'on':{'255':'boot'}", "'on': {'255': 'boot'}");
}

static void test_statuses_refused(void **state)
{
	(void)state;
	spec_refused("'on':{'0':'stop'}", "on.0: status 0 has a name here: expected \"reboot\"");
	spec_refused("'on':{'3':'stop'}",
	    "on.3: status 3 has a name here: expected \"triple_fault\" (a status is \"5\" to "
	    "\"255\")");
	spec_refused("'on':{'4':'stop'}", "on.4: status 4 has a name here: expected \"error\"");
	spec_refused(
	    "'on':{'256':'stop'}", "on.256: invalid status \"256\": expected \"5\" to \"255\"");
	spec_refused("'on':{'99999999999999999999':'stop'}",
	    "on.99999999999999999999: invalid status \"99999999999999999999\": expected ");
	spec_refused("'on':{'':'stop'}", "on.: unknown key \"\"");
	spec_refused("'on':{'3x':'stop'}", "on.3x: unknown key \"3x\"");
	spec_refused("'on':{'033':'stop'}", "on.033: invalid status \"033\": expected \"33\"");
	spec_refused("'on':{'33':'wait'}", "on.33: invalid value \"wait\": expected one of");
	spec_refused("'on':{'33':{'boot':'x','dely':1}}", "on.33.dely: unknown key \"dely\"");
	spec_refused("'on':{'33':{'delay':1}}", "on.33: \"boot\" is missing");
}

/* A target stands in an object: its name alone is the most likely mistake. */
static void test_names_refused(void **state)
{
	(void)state;
	spec_refused("'on':{'halt':'rescue'}",
	    "on.halt: invalid value \"rescue\": expected one of \"stop\", \"boot\", \"same\" or "
	    "{ \"boot\": TARGET, \"delay\": SECONDS }, did you mean { \"boot\": \"rescue\" }?");
	spec_refused("'on':{'given_up':'rescue'}",
	    "on.given_up: invalid value \"rescue\": expected one of \"stop\", \"wait\" or "
	    "{ \"boot\": TARGET, \"delay\": SECONDS, \"times\": N }, did you mean "
	    "{ \"boot\": \"rescue\" }?");
}

static void test_given_up(void **state)
{
	struct spec *spec = spec_of("'on':{'given_up':{'boot':'x'}}");

	(void)state;
	assert_int_equal(spec->on[CAUSE_GIVEN_UP].times, 1);
	spec_free(spec);
	spec_shows("'on':{'given_up':{'boot':'x','delay':1.5,'times':0}}",
	    "'on': {'given_up': {'boot': 'x','delay': 1.5,'times': 0}}");
	spec_shows("'on':{'given_up':{'boot':'x','times':1000}}",
	    "'on': {'given_up': {'boot': 'x','times': 1000}}");
	spec_refused("'on':{'given_up':{'boot':'x','times':1001}}",
	    "on.given_up.times: 1001 is out of range: expected 0 to 1000");
	spec_refused("'on':{'given_up':{'boot':'x','times':-1}}",
	    "on.given_up.times: -1 is out of range: expected 0 to 1000");
	spec_refused("'on':{'given_up':{'times':2}}", "on.given_up: \"boot\" is missing");
	spec_refused("'on':{'given_up':'same'}",
	    "on.given_up: invalid value \"same\": expected one of \"stop\", \"wait\"");
	spec_refused(
	    "'on':{'given_up':'boot'}", "on.given_up: invalid value \"boot\": expected one of");
	spec_refused("'on':{'given_up':1}",
	    "on.given_up: expected \"stop\", \"wait\" or { \"boot\": TARGET, \"delay\": SECONDS, "
	    "\"times\": N }, got an integer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_statuses_refused),
		cmocka_unit_test(test_names_refused),
		cmocka_unit_test(test_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
