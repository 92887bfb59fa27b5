/* The advice of "why": one for each cause, and for what ended a boot. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "spec/cause.h"
#include "vmrunctl/past.h"

static void test_each_cause(void **state)
{
	MEM_AUTO char *unknown = why_advice("a-b", "no such cause", NULL, NULL);

	(void)state;
	for (int i = 0; i < CAUSES; i++) {
		MEM_AUTO char *text = why_advice("a-b", cause_name((enum cause)i), NULL, NULL);

		assert_string_not_equal(text, unknown);
		for (const char *line = text; line != NULL;
		     line = strchr(line, '\n') == NULL ? NULL : strchr(line, '\n') + 1)
			assert_in_range(strcspn(line, "\n"), 1, 98);
	}
}

/* Checks whether the advice has the text. */
static void check_advice(
    const char *cause, const char *by, const char *action, const char *text, bool has)
{
	MEM_AUTO char *advice = why_advice("a-b", cause, by, action);

	if ((strstr(advice, text) != NULL) != has)
		fail_msg("%s, %s: %s", cause, action, advice);
}

static void test_what_ended_it(void **state)
{
	(void)state;
	check_advice("given_up", NULL, "stop", "vmrunctl a-b history", true);
	check_advice("error", NULL, "wait", "vmrunctl a-b reset", true);
	check_advice("error", NULL, "wait", "NAME", false);
	check_advice(NULL, NULL, NULL, "dmesg", true);
	check_advice("reboot", "guest", "boot", "restarted itself", true);
	check_advice("reboot", "acpi", "boot", "reboot request", true);
	check_advice("reboot", "kill", "boot", "without a shutdown of the guest", true);
	check_advice("stopped", "acpi", "stop", "stopped on request", true);
	check_advice("stopped", "kill", "stop", "did not power off in time", true);
	check_advice("stopped", "poweroff", NULL, "did not power off in time", true);
	check_advice("poweroff", "guest", NULL, "shut down by itself", true);
	check_advice("check_failed", NULL, "stop", "Where a hook refused it", true);
	check_advice("loader_failed", NULL, "stop", "that the loader is installed", true);
}

/* Where vmrun ended the boot by itself, its reason is told, not the step that did it. */
static void test_what_vmrun_ended(void **state)
{
	static const char *const causes[] = { "not_ready", "unhealthy", "timed_out" };

	(void)state;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		MEM_AUTO char *by_step = why_advice("a-b", causes[i], "kill", "boot");
		MEM_AUTO char *by_guest = why_advice("a-b", causes[i], "guest", "boot");

		assert_string_equal(by_step, by_guest);
		check_advice(causes[i], "kill", "boot", "did not power off in time", false);
	}
}

static void test_what_followed(void **state)
{
	(void)state;
	for (int i = 0; i < CAUSES; i++) {
		const char *cause = cause_name((enum cause)i);

		check_advice(cause, "guest", "boot", "boots again", false);
		check_advice(cause, "guest", "boot", "a-b reset", false);
		check_advice(cause, "guest", "wait", "boots again", false);
		check_advice(cause, "guest", "wait", "a-b reset", true);
	}
	check_advice("triple_fault", "guest", "stop", "boots again after a crash", true);
	check_advice("triple_fault", "guest", NULL, "boots again after a crash", true);
}

static void check_sentence(const char *line, const char *expected)
{
	MEM_AUTO char *text = past_sentence(line);

	assert_string_equal(text, expected);
}

static void test_sentences(void **state)
{
	(void)state;
	check_sentence("{\"kind\":\"boot\",\"boot\":3,\"target\":\"a\",\"cause\":\"killed\","
		       "\"status\":null,\"signal\":9,\"action\":\"boot\",\"next\":\"b\","
		       "\"by\":\"on.killed\",\"text\":\"x\\u001b\\nmore\"}",
	    "boot 3, target a: x? (killed, signal 9); next boot: target b (on.killed)");
	check_sentence("{\"kind\":\"boot\",\"boot\":1,\"target\":\"a\",\"cause\":\"halt\","
		       "\"status\":2,\"action\":\"wait\",\"text\":\"x\"}",
	    "boot 1, target a: x (halt, status 2); waiting for a reset");
	check_sentence("{\"kind\":\"boot\",\"boot\":1,\"target\":\"a\","
		       "\"cause\":\"check_failed\",\"action\":\"stop\",\"text\":\"x\"}",
	    "boot 1, target a: x (check_failed); no further boot");
	check_sentence(
	    "{\"kind\":\"vmrun\",\"text\":\"ended with status 0\"}", "vmrun ended with status 0");
	check_sentence("{\"kind\":\"vmrun\",\"text\":\"vmrun pid 1 died\"}", "vmrun pid 1 died");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_cause),
		cmocka_unit_test(test_what_ended_it),
		cmocka_unit_test(test_what_vmrun_ended),
		cmocka_unit_test(test_what_followed),
		cmocka_unit_test(test_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
