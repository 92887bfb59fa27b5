/* reboot_on, stop; and the list of causes. */
#include "support.h"

#include <string.h>

#include "base/mem.h"

static void test_causes(void **state)
{
	(void)state;
	for (int i = 0; i < CAUSES; i++) {
		enum cause found = CAUSES;

		assert_true(cause_find(cause_name((enum cause)i), &found));
		assert_int_equal(cause_status((enum cause)i), i < 5 ? i : -1);
		assert_int_equal(found, i);
		assert_true(strlen(cause_text((enum cause)i)) > 5);
	}
	/* The statuses of bhyve(8) are the values of their causes. */
	assert_int_equal(CAUSE_REBOOT, 0);
	assert_int_equal(CAUSE_POWEROFF, 1);
	assert_int_equal(CAUSE_HALT, 2);
	assert_int_equal(CAUSE_TRIPLE_FAULT, 3);
	assert_int_equal(CAUSE_ERROR, 4);
	assert_false(cause_find("", &(enum cause){ CAUSE_REBOOT }));
	assert_false(cause_find("Reboot", &(enum cause){ CAUSE_REBOOT }));
}

static void test_reboot_on(void **state)
{
	(void)state;
	spec_shows("'reboot_on':['reboot','triple_fault',3,'7']",
	    "'reboot_on': ['reboot','triple_fault',3,7]");
	spec_shows("'reboot_on':[]", "'reboot_on': []");
	spec_refused("'reboot_on':'reboot'",
	    "reboot_on: expected a list of causes or statuses, got a string");
	spec_refused("'reboot_on':['reboot','rebot']",
	    "reboot_on[1]: invalid cause or status \"rebot\": expected a cause or 0 to 255, did "
	    "you mean "
	    "\"reboot\"?");
	spec_refused("'reboot_on':[256]", "reboot_on[0]: 256 is out of range: expected 0 to 255");
	spec_refused("'reboot_on':[-1]", "reboot_on[0]: -1 is out of range");
	spec_refused("'reboot_on':['256']", "reboot_on[0]: invalid cause or status \"256\"");
	spec_refused("'reboot_on':['-1']", "reboot_on[0]: invalid cause or status \"-1\"");
	spec_refused("'reboot_on':['0x1']", "reboot_on[0]: invalid cause or status \"0x1\"");
	spec_refused("'reboot_on':['99999999999999999999']",
	    "reboot_on[0]: invalid cause or status \"99999999999999999999\"");
	spec_refused("'reboot_on':['']", "reboot_on[0]: must not be empty");
	spec_refused("'reboot_on':[1.5]", "reboot_on[0]: expected a string, got a number");
	spec_refused("'reboot_on':{'reboot':true}", "reboot_on: expected a list");
}

static void test_reboot_list_has(void **state)
{
	struct spec *spec = spec_of("'reboot_on':['killed',3]");
	struct spec *unset = spec_of("");
	const struct reboot_list *list = &spec->reboot_on;

	(void)state;
	assert_true(list->given);
	assert_false(unset->reboot_on.given);
	assert_true(reboot_list_has(list, CAUSE_KILLED, 3));
	assert_true(reboot_list_has(list, CAUSE_TRIPLE_FAULT, 3));
	/* qemu's guest may end it with a status that is a triple fault of bhyve's. */
	assert_false(reboot_list_has(list, CAUSE_ERROR, 3));
	assert_false(reboot_list_has(list, CAUSE_TRIPLE_FAULT, 4));
	/* A number does not apply to these causes. */
	assert_false(reboot_list_has(list, CAUSE_START_FAILED, 3));
	assert_false(reboot_list_has(list, CAUSE_CHECK_FAILED, 3));
	assert_false(reboot_list_has(list, CAUSE_STOPPED, 3));
	assert_false(reboot_list_has(&unset->reboot_on, CAUSE_REBOOT, 0));
	spec_free(spec);
	spec_free(unset);
}

static void list_is(const char *text, const char *wanted)
{
	struct reboot_list list = { 0 };
	struct error err = { 0 };
	struct str s = { 0 };

	if (reboot_list_parse(text, &list, &err) != 0) {
		str_addf(&s, "! %s", err.text);
		assert_int_equal(err.status, STATUS_USAGE);
	}
	assert_true(list.given);
	for (size_t i = 0; i < list.count && err.text == NULL; i++) {
		const struct reboot_entry *e = &list.item[i];

		if (e->is_status)
			str_addf(&s, "<%d>", e->status);
		else
			str_addf(&s, "<%s>", cause_name(e->cause));
	}
	assert_string_equal(s.text == NULL ? "" : s.text, wanted);
	str_free(&s);
	error_clear(&err);
	reboot_list_free(&list);
}

/* Parses the list of the command line. */
static void test_reboot_list_parse(void **state)
{
	(void)state;
	list_is("", "");
	list_is(" ", "");
	list_is("reboot", "<reboot>");
	list_is("reboot,triple_fault,3", "<reboot><triple_fault><3>");
	list_is(" reboot , 255 ", "<reboot><255>");
	list_is("reboot,", "! invalid cause or status \"\": expected a cause or 0 to 255");
	list_is(",", "! invalid cause or status \"\": expected a cause or 0 to 255");
	list_is("reboot,,halt", "! invalid cause or status \"\": expected a cause or 0 to 255");
	list_is("reboot halt",
	    "! invalid cause or status \"reboot halt\": expected a cause or 0 to 255");
	list_is("256", "! invalid cause or status \"256\": expected a cause or 0 to 255");
	list_is("pwroff",
	    "! invalid cause or status \"pwroff\": expected a cause or 0 to 255, did you mean "
	    "\"poweroff\"?");
}

static void test_stop(void **state)
{
	(void)state;
	spec_shows("",
	    "'stop': [{'do': 'acpi','wait': 60},{'do': 'poweroff','wait': 10},"
	    "{'do': 'kill','wait': 5}]");
	spec_shows("'stop':[{'do':'kill','wait':0}]", "'stop': [{'do': 'kill','wait': 0}]");
	spec_shows("'stop':[{'do':'kill','wait':86400}]", "'stop': [{'do': 'kill','wait': 86400}]");
	spec_refused("'stop':[]", "stop: expected a list of 1 to 16 steps");
	spec_refused("'stop':{'do':'kill','wait':0}", "stop: expected a list of 1 to 16 steps");
	spec_refused("'stop':'kill'", "stop: expected a list of 1 to 16 steps");
	spec_refused(
	    "'stop':['kill']", "stop[0]: expected a step { \"do\": \"acpi\", \"wait\": 60 }");
	spec_refused("'stop':[{'do':'kill'}]", "stop[0]: \"wait\" is missing");
	spec_refused("'stop':[{'wait':1}]", "stop[0]: \"do\" is missing");
	spec_refused("'stop':[{'do':'acpi','wait':1},{'do':'kil','wait':1}]",
	    "stop[1].do: invalid value \"kil\": expected one of \"acpi\", \"poweroff\", \"kill\", "
	    "did you mean "
	    "\"kill\"?");
	spec_refused("'stop':[{'do':'kill','wait':-1}]", "stop[0].wait: -1 is out of range");
	spec_refused("'stop':[{'do':'kill','wait':86401}]", "stop[0].wait: 86401 is out of range");
	spec_refused("'stop':[{'do':'kill','wait':'1'}]", "stop[0].wait: expected an integer");
	spec_refused("'stop':[{'do':'kill','wait':1,'x':1}]", "stop[0].x: unknown key \"x\"");
}

static void test_stop_is_limited(void **state)
{
	struct str keys = { 0 };

	(void)state;
	str_add(&keys, "'stop':[{'do':'kill','wait':1}");
	for (int i = 2; i <= MAX_STOP_STEPS; i++)
		str_add(&keys, ",{'do':'kill','wait':1}");
	MEM_AUTO char *longest = mem_format("%s]", keys.text);
	MEM_AUTO char *more = mem_format("%s,{'do':'kill','wait':1}]", keys.text);
	struct spec *spec = spec_of(longest);

	assert_int_equal(spec->stop.count, MAX_STOP_STEPS);
	spec_free(spec);
	spec_refused(more, "stop: expected a list of 1 to 16 steps");
	str_free(&keys);
}

/* The largest values, and one more than these. */
static void test_ranges(void **state)
{
	(void)state;
	spec_shows("'restart_limit':{'count':1000,'within':604800}",
	    "'restart_limit': {'count': 1000,'within': 604800}");
	spec_refused("'restart_limit':{'count':1001}",
	    "restart_limit.count: 1001 is out of range: expected 1 to 1000");
	spec_refused("'restart_limit':{'count':0}",
	    "restart_limit.count: 0 is out of range: expected 1 to 1000");
	spec_refused("'restart_limit':{'within':604801}",
	    "restart_limit.within: expected 0.01 to 604800 seconds");
	spec_shows("'backoff':{'initial':86400,'max':86400,'reset_after':86400}",
	    "'backoff': {'initial': 86400,'factor': 2,'max': 86400,'reset_after': 86400}");
	spec_refused(
	    "'backoff':{'initial':86401}", "backoff.initial: expected 0.01 to 86400 seconds");
	spec_refused("'backoff':{'max':86401}", "backoff.max: expected 0.01 to 86400 seconds");
	spec_refused("'backoff':{'reset_after':86401}",
	    "backoff.reset_after: expected 0.01 to 86400 seconds");
	spec_refused("'hook_timeout':3601", "hook_timeout: expected 0.01 to 3600 seconds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_reboot_on),
		cmocka_unit_test(test_reboot_list_has),
		cmocka_unit_test(test_reboot_list_parse),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stop_is_limited),
		cmocka_unit_test(test_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
