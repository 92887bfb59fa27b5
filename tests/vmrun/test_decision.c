/* Decisions as JSON. */
#include "../base/dice.h"

#include "base/mem.h"
#include "vmrun/decision.h"

static void test_members(void **state)
{
	struct vmrun_event e = { .type = VMRUN_DECIDED,
		.boot = 2,
		.ended = "install",
		.cause = "poweroff",
		.action = "boot",
		.target = "a\"b",
		.by = "on.poweroff" };
	MEM_AUTO char *boots = decision_json(&e);

	(void)state;
	assert_string_equal(boots,
	    "{\"boot\":2,\"target\":\"install\",\"cause\":\"poweroff\",\"action\":\"boot\","
	    "\"next\":\"a\\\"b\",\"by\":\"on.poweroff\"}");
	e.action = "stop";
	e.target = NULL;
	MEM_AUTO char *stops = decision_json(&e);

	assert_string_equal(stops,
	    "{\"boot\":2,\"target\":\"install\",\"cause\":\"poweroff\",\"action\":\"stop\","
	    "\"next\":null,\"by\":\"on.poweroff\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
