/* The hooks: the facts that each gets, and the effects of its answers and faults. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "life.h"
#include "lib/handle.h"

static struct vm v = VM;

static struct machine *machine(void)
{
	return v.machine;
}

static void check_text(const struct node *facts, const char *key, const char *text)
{
	const char *has = node_get_text(facts, key);

	if (text == NULL)
		assert_null(node_get(facts, key));
	else if (has == NULL || strcmp(has, text) != 0)
		fail_msg("%s: %s, not %s", key, has == NULL ? "nothing" : has, text);
}

static void check_number(const struct node *facts, const char *key, int64_t number)
{
	const struct node *n = node_get(facts, key);

	assert_non_null(n);
	assert_int_equal(n->integer, number);
}

static struct error make_error(const char *text)
{
	struct error err = { 0 };

	(void)error_set(&err, STATUS_OS, "%s", text);
	return err;
}

/* Adds the exit of a boot to the history. */
static void add_exit(enum cause cause)
{
	machine()->history.outcome.cause = cause;
	history_add(machine());
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(hooks_prepare.name, "on_prepare");
	assert_string_equal(hooks_start.name, "on_start");
	assert_string_equal(hooks_started.name, "on_started");
	assert_string_equal(hooks_exit.name, "on_exit");
	assert_string_equal(hooks_given_up.name, "on_exit");
	assert_string_equal(hooks_end.name, "on_end");
}

/* on_prepare gets the cause of the previous boot, if there was one. */
static void test_facts_of_prepare(void **state)
{
	(void)state;
	vm_prepare(&v,
	    "local n = 0\n"
	    "function vm.on_prepare() n = n + 1 if n > 1 then vmrun.sleep(9) end end");
	machine()->choice.next_target = strdup("other");
	vm_put(&v, STATE_DRAFTING);
	vm_check_next(machine_states[STATE_DRAFTING].enter(machine()), STATES, -1);
	for (int boots = 0; boots < 2; boots++) {
		NODE_AUTO struct node *facts = NULL;

		machine()->history.boots = boots;
		facts = hooks_prepare.argument(machine());
		check_text(node_get(facts, "boot"), "target", "other");
		check_number(node_get(facts, "boot"), "boots", boots);
		check_text(node_get(facts, "boot"), "previous_cause", boots == 0 ? NULL : "halt");
		add_exit(CAUSE_HALT);
	}
	vm_close(&v);
}

/* Puts a draft of the other target into the machine. */
static void open_draft(void)
{
	struct boot_facts facts = { 0 };

	vm_prepare(&v, "");
	assert_int_equal(boot_draft(machine()->source, "other", &facts, &machine()->draft.boot,
			     &machine()->draft.faults),
	    0);
}

/* The next function gets a changed draft, and is not called after an invalid one. */
static void test_answer_to_prepare(void **state)
{
	(void)state;
	for (int good = 0; good < 2; good++) {
		NODE_AUTO struct node *spec = node_new(NODE_OBJECT);

		open_draft();
		node_put(spec, "name", node_string("walk"));
		node_put(spec, "cpu", good ? node_int(3) : node_string("many"));
		node_put(spec, "mem", node_string("64M"));
		node_put(spec, "bootrom", node_string("rom"));
		assert_int_equal(hooks_prepare.on_answer(machine(), "a hook", spec), good);
		assert_int_equal(machine()->draft.faults.count == 0, good);
		report_free(&machine()->draft.faults);
		vm_close(&v);
	}
}

static void test_fault_of_prepare(void **state)
{
	struct error err = make_error("broken");

	(void)state;
	open_draft();
	assert_false((hooks_prepare.on_failure)(machine(), "a hook", &err));
	assert_int_equal(machine()->draft.faults.count, 1);
	assert_int_equal(machine()->draft.faults.status, STATUS_CHECK);
	MEM_AUTO char *text = report_text(&machine()->draft.faults);

	assert_string_equal(text, "a hook: broken");
	report_free(&machine()->draft.faults);
	error_clear(&err);
	vm_close(&v);
}

/* on_start and on_started get the same; the pid is that of a hypervisor that runs. */
static void test_facts_of_a_boot(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	assert_ptr_equal(hooks_start.argument, hooks_started.argument);
	for (int again = 0; again < 2; again++) {
		NODE_AUTO struct node *facts = NULL;

		machine()->history.boots = 7 + again;
		machine()->run.child.job.pid = again == 0 ? 0 : 4711;
		facts = hooks_start.argument(machine());
		machine()->run.child.job.pid = 0;
		check_text(facts, "vm", "walk");
		check_text(facts, "target", "default");
		check_number(facts, "boots", 7 + again);
		check_text(facts, "hypervisor", "bhyve");
		check_text(facts, "previous_cause", again == 0 ? NULL : "triple_fault");
		if (again == 0)
			assert_null(node_get(facts, "pid"));
		else
			check_number(facts, "pid", 4711);
		add_exit(CAUSE_TRIPLE_FAULT);
	}
	vm_close(&v);
}

/* on_start gets what is known, as a target's spec has it, resolved. */
static void test_spec_and_devices(void **state)
{
	const struct node *devices, *spec;
	NODE_AUTO struct node *facts = NULL;

	(void)state;
	vm_prepare(&v,
	    "vm.mem = '128M' vm.com1 = '/dev/nmdm3A' vm.emulations = "
	    "{ { device = 'virtio-net', bridge = 'bridge0' } }");
	machine()->boot.spec->devices[0]->found = mem_copy("tap8");
	facts = hooks_start.argument(machine());
	devices = node_get(facts, "devices");
	check_text(node_get(devices, "virtio-net-0"), "tap", "tap8");
	check_text(node_get(devices, "virtio-net-0"), "slot", "0:1:0");
	check_text(node_get(devices, "com1"), "tty", "/dev/nmdm3B");
	spec = node_get(facts, "spec");
	check_number(spec, "mem", 128 << 20);
	check_number(node_get(spec, "cpu"), "threads", 1);
	assert_non_null(node_get(spec, "uuid"));
	check_text(node_get(spec, "emulations")->first, "slot", "0:1:0");
	vm_close(&v);
}

/* Lets on_start answer with this key, or an empty object; no further function is called. */
static void answer_start(const char *key, const char *text)
{
	NODE_AUTO struct node *answer = node_new(NODE_OBJECT);

	if (key != NULL)
		node_put(answer, key, node_string(text));
	assert_false(hooks_start.on_answer(machine(), "a hook", answer));
}

static void check_start(const char *instead, const char *refusal)
{
	const struct draft *d = &machine()->draft;

	if (instead == NULL)
		assert_null(d->instead);
	else
		assert_string_equal(d->instead, instead);
	assert_string_equal(d->refusal, refusal);
}

static void test_answers_to_start(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	answer_start("target", "other");
	check_start("other", "a hook boots other in place of default");
	answer_start("reason", "no disk");
	check_start(NULL, "a hook refused the boot: no disk");
	answer_start(NULL, NULL);
	check_start(NULL, "a hook refused the boot");
	vm_close(&v);
}

/* A guard that fails refuses the boot; the traceback goes to the event alone. */
static void test_fault_of_start(void **state)
{
	struct error err = make_error("broken\nstack traceback:");
	const struct vmrun_event *e;

	(void)state;
	vm_prepare(&v, "");
	answer_start("target", "other");
	assert_false((hooks_start.on_failure)(machine(), "a hook", &err));
	check_start(NULL, "a hook refused the boot: it failed: broken");
	e = vm_event(&v, VMRUN_HOOK_FAILED);
	assert_non_null(e);
	assert_string_equal(e->by, "a hook");
	assert_string_equal(e->text, "broken\nstack traceback:");
	error_clear(&err);
	vm_close(&v);
}

/* The answers and faults of on_started and on_end change nothing. */
static void test_what_is_only_told(void **state)
{
	(void)state;
	assert_null(hooks_started.on_answer);
	assert_null(hooks_started.on_failure);
	assert_null(hooks_end.on_answer);
	assert_null(hooks_end.on_failure);
	assert_null(hooks_given_up.on_answer);
	assert_null(hooks_given_up.on_failure);
	assert_null(hooks_exit.on_failure);
}

/* The first function that answers decides; an answer of an earlier exit is replaced. */
static void test_answers_to_exit(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	for (int i = 1; i <= 2; i++) {
		NODE_AUTO struct node *answer = node_new(NODE_OBJECT);

		node_put(answer, "status", node_int(i));
		assert_false(hooks_exit.on_answer(machine(), i == 1 ? "one" : "two", answer));
	}
	check_number(machine()->choice.answer, "status", 2);
	assert_string_equal(machine()->choice.answer_label, "two");
	vm_close(&v);
}

/* on_end gets what on_exit gets; the cause is that of the run, also when no boot ended. */
static void test_facts_of_the_end(void **state)
{
	(void)state;
	assert_ptr_equal(hooks_exit.argument, hooks_given_up.argument);
	vm_prepare(&v, "");
	machine()->end.status = 3;
	add_exit(CAUSE_HALT);
	machine()->history.outcome.cause = CAUSE_STOPPED;
	NODE_AUTO struct node *end = hooks_end.argument(machine());
	NODE_AUTO struct node *exit = hooks_exit.argument(machine());
	const struct node *facts = node_get(end, "exit"), *last = node_get(exit, "exit");

	check_text(facts, "cause", "stopped");
	check_number(facts, "exit_status", 3);
	check_text(facts, "target", "default");
	check_text(last, "cause", "halt");
	check_text(last, "exit_status", NULL);
	vm_close(&v);
}

/* Calls this hook in a state in which no VM runs, and does what it asks for. */
static void ask_in(enum state state, const struct hook *hook, const char *request)
{
	MEM_AUTO char *more =
	    mem_format("function vm.%s() print('asks', vmrun.request(%s)) vmrun.sleep(600) end",
		hook->name, request);

	vm_make(&v, more, NULL);
	vm_put(&v, state);
	hooks_call(machine(), hook, machine()->boot.spec);
	machine_settle(machine());
	loop_update(v.handle);
	while (strstr(vm_told(&v), "log asks") == NULL)
		life_step(v.handle, 1000);
}

static void ask(const char *request)
{
	ask_in(STATE_NEW, &hooks_exit, request);
}

static void test_requests_of_a_hook(void **state)
{
	(void)state;
	ask("'next', { target = 'other' }");
	vm_check_told(&v, "log asks\ttrue\n");
	assert_string_equal(machine()->requests.once_target, "other");
	vm_close(&v);
	ask("'stop', { status = 7 }");
	vm_check_told(&v, "log asks\ttrue\n");
	assert_true(machine()->requests.stop_after_hook);
	assert_int_equal(machine()->requests.status, 7);
	vm_close(&v);
	ask("'stop', { status = 0 }");
	assert_int_equal(machine()->requests.status, 0);
	vm_close(&v);
	ask("'stop'");
	assert_true(machine()->requests.stop_after_hook);
	assert_int_equal(machine()->requests.status, -1);
	vm_close(&v);
	ask("'kill'");
	vm_check_told(&v, "log asks\tnil\tno VM is running\n");
	vm_close(&v);
	ask("'reboot'");
	vm_check_told(&v, "log asks\tnil\tno VM is running\n");
	vm_close(&v);
	ask("'reset'");
	vm_check_told(&v, "log asks\tnil\tthe VM is not given up\n");
	vm_close(&v);
	ask_in(STATE_REPORTING, &hooks_end, "'next', { target = 'other' }");
	vm_check_told(&v, "log asks\tnil\tvmrun is about to exit\n");
	vm_close(&v);
}

#define QUESTION(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		QUESTION(test_facts_of_prepare),
		QUESTION(test_answer_to_prepare),
		QUESTION(test_fault_of_prepare),
		QUESTION(test_facts_of_a_boot),
		QUESTION(test_spec_and_devices),
		QUESTION(test_answers_to_start),
		QUESTION(test_fault_of_start),
		cmocka_unit_test(test_what_is_only_told),
		QUESTION(test_answers_to_exit),
		QUESTION(test_facts_of_the_end),
		QUESTION(test_requests_of_a_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
