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
		.delay_ms = 2500,
		.by = "on.poweroff" };
	MEM_AUTO char *boots = decision_json(&e, NULL);

	(void)state;
	assert_string_equal(boots,
	    "{\"boot\":2,\"target\":\"install\",\"cause\":\"poweroff\",\"action\":\"boot\","
	    "\"next\":\"a\\\"b\",\"by\":\"on.poweroff\",\"delay_ms\":2500,\"reason\":null}");
	e.action = "stop";
	e.target = NULL;
	MEM_AUTO char *stops = decision_json(&e, "no space");

	assert_string_equal(stops,
	    "{\"boot\":2,\"target\":\"install\",\"cause\":\"poweroff\",\"action\":\"stop\","
	    "\"next\":null,\"by\":\"on.poweroff\",\"delay_ms\":null,"
	    "\"reason\":\"no space\"}");
}

static void test_lines(void **state)
{
	static const struct {
		int64_t delay_ms;
		const char *text;
	} rows[] = { { 0, "0" }, { 1, "0.001" }, { 2500, "2.5" }, { 86400999, "86400.999" },
		{ 1000, "1" } };
	struct vmrun_event e = { .type = VMRUN_DECIDED,
		.boot = 2,
		.ended = "install",
		.cause = "halt",
		.action = "boot",
		.target = "b",
		.by = "default" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *expected =
		    mem_format("2\tinstall\thalt\tboot\tb\tdefault\t%s", rows[i].text);

		e.delay_ms = rows[i].delay_ms;
		MEM_AUTO char *line = decision_line(&e);

		assert_string_equal(line, expected);
	}
	e.action = "wait";
	e.target = NULL;
	MEM_AUTO char *waits = decision_line(&e);

	assert_string_equal(waits, "2\tinstall\thalt\twait\t-\tdefault\t-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
