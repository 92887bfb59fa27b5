/* Requests in each state: whether a machine heeds them, and with which text it refuses them. */
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

#define BOOTING "the VM is booting already"
#define ENDING "vmrun is about to exit"
#define NO_REBOOT "--no-reboot forbids further boots"

/* What requests do in a state: the state that they lead to, or the text that refuses them. */
struct heeded {
	enum state stop, kill, reset, reboot;
	const char *reboot_refused, *next_refused;
	const char *told; /* the name of the state for users */
};

static const struct heeded heeded[STATES] = {
	[STATE_NEW] = { STATE_NEW, STATE_NEW, STATE_NEW, STATE_NEW, ENDING, NULL, "waiting" },
	[STATE_RECOVERING] = { STATE_ENDED, STATE_ENDED, STATE_RECOVERING, STATE_RECOVERING,
	    "vmrun is cleaning up after a previous vmrun", NULL, "waiting" },
	[STATE_WAITING] = { STATE_ENDED, STATE_ENDED, STATE_WAITING, STATE_WAITING, NULL, NULL,
	    "waiting" },
	[STATE_DRAFTING] = { STATE_ENDED, STATE_ENDED, STATE_DRAFTING, STATE_DRAFTING, BOOTING,
	    NULL, "waiting" },
	[STATE_PREPARING] = { STATE_ENDED, STATE_ENDED, STATE_PREPARING, STATE_PREPARING, BOOTING,
	    NULL, "waiting" },
	[STATE_STARTING] = { STATE_STARTING, STATE_STARTING, STATE_STARTING, STATE_STARTING,
	    BOOTING, NULL, "waiting" },
	[STATE_LOADING] = { STATE_LOADING, STATE_LOADING, STATE_LOADING, STATE_LOADING, BOOTING,
	    NULL, "loading" },
	[STATE_RUNNING] = { STATE_STOPPING, STATE_STOPPING, STATE_RUNNING, STATE_STOPPING, NULL,
	    NULL, "running" },
	[STATE_STOPPING] = { STATE_STOPPING, STATE_STOPPING, STATE_STOPPING, STATE_STOPPING, NULL,
	    NULL, "stopping" },
	[STATE_CLEANING] = { STATE_CLEANING, STATE_CLEANING, STATE_CLEANING, STATE_CLEANING, NULL,
	    NULL, "stopping" },
	[STATE_DECIDING] = { STATE_ENDED, STATE_ENDED, STATE_DECIDING, STATE_WAITING, NULL, NULL,
	    "waiting" },
	[STATE_GIVING_UP] = { STATE_ENDED, STATE_ENDED, STATE_GIVING_UP, STATE_WAITING, NULL, NULL,
	    "waiting" },
	[STATE_GIVEN_UP] = { STATE_ENDED, STATE_ENDED, STATE_WAITING, STATE_WAITING, NULL, NULL,
	    "given_up" },
	[STATE_ENDING] = { STATE_ENDING, STATE_ENDING, STATE_ENDING, STATE_ENDING, ENDING, ENDING,
	    "stopping" },
	[STATE_REPORTING] = { STATE_ENDED, STATE_ENDED, STATE_REPORTING, STATE_REPORTING, ENDING,
	    ENDING, "stopping" },
	[STATE_ENDED] = { STATE_ENDED, STATE_ENDED, STATE_ENDED, STATE_ENDED, ENDING, ENDING,
	    "stopping" },
};

static void open_in(enum state state, const char *more)
{
	vm_prepare(&v, more);
	v.machine->choice.refused_target = strdup("default");
	v.machine->requests.stop_step = state == STATE_STOPPING ? 1 : 0;
	vm_put(&v, state);
}

static void check_state(enum state from, const char *request, enum state expected)
{
	if (v.machine->present.state != expected)
		fail_msg("%s in %s leads to %s, not %s", request, machine_states[from].name,
		    machine_states[v.machine->present.state].name, machine_states[expected].name);
	vm_close(&v);
}

/* Fails unless a request was refused with this text; NULL: it was heeded. */
static void check_refusal(enum state from, int rc, struct error *err, const char *expected)
{
	if ((rc == 0) != (expected == NULL))
		fail_msg("%s: %s", machine_states[from].name, rc == 0 ? "heeded" : err->text);
	if (expected != NULL) {
		assert_string_equal(err->text, expected);
		assert_int_equal(err->status, STATUS_CHECK);
	}
	error_clear(err);
}

static void test_stop_and_kill(void **state)
{
	(void)state;
	for (enum state s = STATE_NEW; s < STATES; s++) {
		open_in(s, "");
		machine_stop(v.machine);
		assert_int_equal(v.machine->requests.stop,
		    machine_states[s].on[EVENT_STOP] != NULL && s != STATE_REPORTING);
		check_state(s, "stop", heeded[s].stop);
		open_in(s, "");
		machine_kill(v.machine);
		check_state(s, "kill", heeded[s].kill);
	}
}

static void test_reset(void **state)
{
	(void)state;
	for (enum state s = STATE_NEW; s < STATES; s++) {
		open_in(s, "");
		assert_int_equal(machine_reset(v.machine, false), s == STATE_GIVEN_UP);
		check_state(s, "reset", heeded[s].reset);
	}
}

static void test_reboot(void **state)
{
	(void)state;
	for (enum state s = STATE_NEW; s < STATES; s++) {
		struct error err = { 0 };
		int rc;

		open_in(s, "");
		rc = machine_reboot(v.machine, NULL, &err);
		check_refusal(s, rc, &err, heeded[s].reboot_refused);
		if (rc != 0)
			assert_null(v.machine->requests.reboot_to);
		check_state(s, "reboot", heeded[s].reboot);
	}
}

/* A delay that a request cuts short is not waited, so the window of the rate limit has it. */
static void test_reboot_during_a_delay(void **state)
{
	struct error err = { 0 };

	(void)state;
	open_in(STATE_WAITING, "");
	v.machine->present.deadline_ms = machine_now(v.machine) + 5000;
	v.machine->choice.rate_limit.waited_ms = 6000;
	assert_int_equal(machine_reboot(v.machine, NULL, &err), 0);
	assert_int_equal(v.machine->choice.rate_limit.waited_ms, 1000);
	check_state(STATE_WAITING, "reboot", STATE_WAITING);
}

/* Fails unless this boot was decided, and said so, in place of the one that was decided before. */
static void check_decided(const char *target, int64_t delay_ms, const char *by)
{
	const struct vmrun_event *e = vm_event(&v, VMRUN_DECIDED);

	assert_non_null(e);
	assert_string_equal(e->action, "boot");
	assert_string_equal(e->target, target);
	assert_int_equal(e->delay_ms, delay_ms);
	assert_string_equal(e->by, by);
	assert_string_equal(v.machine->choice.decision.target, target);
	assert_null(vm_event(&v, VMRUN_DECIDED));
}

/* A request that changes what boots after a delay says so, as one while the VM has given up does.
 */
static void test_requests_during_a_delay_are_decisions(void **state)
{
	struct error err = { 0 };

	(void)state;
	open_in(STATE_WAITING, "");
	v.machine->choice.next_target = strdup("default");
	v.machine->present.deadline_ms = machine_now(v.machine) + 5000;
	/* Before the first boot nothing was decided. */
	assert_int_equal(machine_next(v.machine, "other", &err), 0);
	assert_null(vm_event(&v, VMRUN_DECIDED));
	v.machine->history.ends = 1;
	assert_int_equal(machine_next(v.machine, "default", &err), 0);
	check_decided("default", 5000, "the next request");
	assert_int_equal(machine_reboot(v.machine, "other", &err), 0);
	check_decided("other", 0, "the reboot request");
	vm_close(&v);
	open_in(STATE_WAITING, "");
	v.machine->choice.next_target = strdup("default");
	v.machine->history.ends = 1;
	assert_int_equal(machine_reboot(v.machine, NULL, &err), 0);
	check_decided("default", 0, "the reboot request");
	vm_close(&v);
	/* A start that lost its port is prepared again, and nothing was decided about it. */
	open_in(STATE_WAITING, "");
	v.machine->history.ends = 1;
	assert_int_equal(machine_reboot(v.machine, "other", &err), 0);
	assert_null(vm_event(&v, VMRUN_DECIDED));
	vm_close(&v);
}

/* The target of a reboot request is that of the boot that follows. */
static void test_target_of_reboot(void **state)
{
	static const enum state at_once[] = { STATE_WAITING, STATE_DECIDING, STATE_GIVING_UP,
		STATE_GIVEN_UP };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(at_once) / sizeof(*at_once); i++) {
		open_in(at_once[i], "");
		v.machine->choice.next_target = strdup("default");
		assert_int_equal(machine_reboot(v.machine, "other", &err), 0);
		assert_int_equal(v.machine->present.state, STATE_WAITING);
		assert_string_equal(v.machine->choice.next_target, "other");
		assert_null(v.machine->requests.reboot_to);
		vm_close(&v);
	}
	open_in(STATE_RUNNING, "");
	assert_int_equal(machine_reboot(v.machine, "other", &err), 0);
	assert_string_equal(v.machine->requests.reboot_to, "other");
	/* The newest request applies; without a target, the VM boots the next target. */
	assert_int_equal(machine_reboot(v.machine, NULL, &err), 0);
	assert_string_equal(v.machine->requests.reboot_to, "");
	vm_close(&v);
}

static void check_reboot_refused(const char *target, enum status status, const char *expected)
{
	struct error err = { 0 };

	assert_int_equal(machine_reboot(v.machine, target, &err), -1);
	assert_string_equal(err.text, expected);
	assert_int_equal(err.status, status);
	error_clear(&err);
	assert_null(v.machine->requests.reboot_to);
}

static void test_refused_reboots(void **state)
{
	(void)state;
	open_in(STATE_RUNNING, "");
	check_reboot_refused(
	    "none", STATUS_SPEC, "unknown target \"none\" (known: default, other)");
	v.machine->requests.stop = true;
	check_reboot_refused("other", STATUS_CHECK, "the VM is being stopped");
	v.machine->options.policy.no_reboot = true;
	check_reboot_refused("other", STATUS_CHECK, NO_REBOOT);
	/* An unknown target is the first thing that is refused. */
	check_reboot_refused(
	    "none", STATUS_SPEC, "unknown target \"none\" (known: default, other)");
	vm_close(&v);
}

static void test_next(void **state)
{
	(void)state;
	for (enum state s = STATE_NEW; s < STATES; s++) {
		struct error err = { 0 };
		int rc;

		open_in(s, "");
		v.machine->choice.next_target = strdup("default");
		rc = machine_next(v.machine, "other", &err);
		check_refusal(s, rc, &err, heeded[s].next_refused);
		assert_string_equal(
		    v.machine->choice.next_target, s == STATE_WAITING ? "other" : "default");
		if (rc == 0 && s != STATE_WAITING)
			assert_string_equal(v.machine->requests.once_target, "other");
		else
			assert_null(v.machine->requests.once_target);
		check_state(s, "next", s);
	}
}

/* The newer of two requests counts for the target; a reboot without one does not name any. */
static void test_reboot_after_next(void **state)
{
	struct error err = { 0 };

	(void)state;
	open_in(STATE_RUNNING, "");
	assert_int_equal(machine_next(v.machine, "default", &err), 0);
	assert_int_equal(machine_reboot(v.machine, NULL, &err), 0);
	assert_string_equal(v.machine->requests.once_target, "default");
	vm_close(&v);
	open_in(STATE_RUNNING, "");
	assert_int_equal(machine_next(v.machine, "default", &err), 0);
	assert_int_equal(machine_reboot(v.machine, "other", &err), 0);
	assert_null(v.machine->requests.once_target);
	assert_int_equal(machine_next(v.machine, "default", &err), 0);
	assert_string_equal(v.machine->requests.once_target, "default");
	vm_close(&v);
}

static void check_next_refused(const char *expected)
{
	struct error err = { 0 };
	int rc = machine_next(v.machine, "other", &err);

	check_refusal(v.machine->present.state, rc, &err, expected);
	assert_null(v.machine->requests.once_target);
}

static void test_refused_next(void **state)
{
	struct error err = { 0 };

	(void)state;
	open_in(STATE_RUNNING, "");
	assert_int_equal(machine_next(v.machine, NULL, &err), -1);
	assert_string_equal(err.text, "missing target: expected the name of a target");
	assert_int_equal(err.status, STATUS_SPEC);
	error_clear(&err);
	assert_int_equal(machine_next(v.machine, "none", &err), -1);
	assert_string_equal(err.text, "unknown target \"none\" (known: default, other)");
	assert_int_equal(err.status, STATUS_SPEC);
	error_clear(&err);
	assert_null(v.machine->requests.once_target);
	v.machine->requests.stop_after_hook = true;
	check_next_refused("the VM is being stopped");
	v.machine->requests.stop = true;
	check_next_refused("the VM is being stopped");
	v.machine->options.policy.no_reboot = true;
	check_next_refused(NO_REBOOT);
	vm_close(&v);
	/* The target of a first boot that is not prepared yet can change all the same. */
	open_in(STATE_WAITING, "");
	v.machine->options.policy.no_reboot = true;
	check_next_refused(NO_REBOOT);
	v.machine->choice.next_target = strdup("default");
	assert_int_equal(machine_next(v.machine, "other", &err), 0);
	assert_string_equal(v.machine->choice.next_target, "other");
	vm_close(&v);
	/* The first boot is prepared: its target cannot change, so the request is for the one
	 * after. */
	open_in(STATE_WAITING, "");
	assert_int_equal(machine_next(v.machine, "other", &err), 0);
	assert_null(v.machine->choice.next_target);
	assert_string_equal(v.machine->requests.once_target, "other");
	vm_close(&v);
}

static const char *next_target(void)
{
	struct vmrun_state told;

	machine_get_state(v.machine, &told);
	return told.next_target;
}

static void test_told_target(void **state)
{
	(void)state;
	open_in(STATE_RUNNING, "vm.next_target = 'other'");
	assert_string_equal(next_target(), "other"); /* of the spec */
	v.machine->requests.once_target = strdup("default");
	assert_string_equal(next_target(), "default");
	vm_close(&v);
	open_in(STATE_RUNNING, "");
	assert_null(next_target());
	v.machine->choice.next_target = strdup("other");
	assert_null(next_target()); /* that is the running one */
	vm_put(&v, STATE_WAITING);
	assert_string_equal(next_target(), "other");
	vm_put(&v, STATE_GIVEN_UP);
	assert_string_equal(next_target(), "default");
	vm_close(&v);
}

static void test_told_state(void **state)
{
	struct vmrun_state told;

	(void)state;
	for (enum state s = STATE_NEW; s < STATES; s++) {
		open_in(s, "");
		machine_get_state(v.machine, &told);
		assert_string_equal(told.state, heeded[s].told);
		assert_string_equal(told.target, "default");
		assert_int_equal(told.stop_step, s == STATE_STOPPING ? 1 : 0);
		assert_int_equal(
		    told.ending, s == STATE_ENDING || s == STATE_REPORTING || s == STATE_ENDED);
		v.machine->history.ends = 1;
		machine_get_state(v.machine, &told);
		assert_string_equal(told.state, s == STATE_WAITING ? "backoff" : heeded[s].told);
		vm_close(&v);
	}
}

/* While a boot waits for something of the host, the state says for what and how long yet. */
static void test_told_wait(void **state)
{
	struct vmrun_state told;

	(void)state;
	open_in(STATE_PREPARING, "");
	v.machine->present.deadline_ms = 250; /* of the next look */
	v.machine->preparation.awaited = strdup("tap7");
	v.machine->preparation.until_ms = 9000;
	machine_get_state(v.machine, &told);
	assert_null(told.waits_for); /* it may be there at the second look */
	assert_int_equal(told.wait_ms, 250);
	v.machine->preparation.wait_is_told = true;
	machine_get_state(v.machine, &told);
	assert_string_equal(told.waits_for, "tap7");
	assert_int_equal(told.wait_ms, 9000);
	/* A VM that runs waits for nothing; what vmrun looks at then is its own affair. */
	vm_put(&v, STATE_RUNNING);
	machine_get_state(v.machine, &told);
	assert_null(told.waits_for);
	assert_int_equal(told.wait_ms, 0);
	vm_close(&v);
}

static void test_wake_of_the_console(void **state)
{
	struct wake wake = { .kind = WAKE_READABLE, .tag = MACHINE_TAG_CONSOLE };

	(void)state;
	assert_true(machine_is_console(&wake));
	wake.tag = MACHINE_TAG_GUEST;
	assert_false(machine_is_console(&wake));
	wake = (struct wake){ .kind = WAKE_CHILD, .tag = MACHINE_TAG_CONSOLE };
	assert_false(machine_is_console(&wake));
}

static void test_told_step(void **state)
{
	struct vmrun_state told;

	(void)state;
	open_in(STATE_RUNNING, "vm.stop = { { ['do'] = 'acpi', wait = 7 } }");
	machine_stop(v.machine);
	v.handle->simulation.now_ms = 2000;
	machine_get_state(v.machine, &told);
	assert_int_equal(told.stop_step, 1);
	assert_string_equal(told.stop_action, "acpi");
	assert_int_equal(told.wait_ms, 5000);
	assert_true(told.stop_requested);
	machine_stop(v.machine);
	v.handle->simulation.now_ms = 9000;
	machine_get_state(v.machine, &told);
	assert_int_equal(told.stop_step, 2);
	assert_string_equal(told.stop_action, "kill");
	assert_int_equal(told.wait_ms, 0);
	vm_close(&v);
}

/* Fails unless a new source with the target "kept" is refused with this text; NULL: it is good. */
static void check_reload(const char *text)
{
	struct vm fresh = VM;
	struct report report = { 0 };
	MEM_AUTO char *wrong = NULL;

	vm_open(&fresh, "vm.targets = { kept = {} }");
	machine_check_reload(v.machine, &fresh.handle->source, &report);
	wrong = report.count == 0 ? NULL : report_text(&report);
	if (text == NULL)
		assert_null(wrong);
	else if (wrong == NULL || strstr(wrong, text) == NULL || report.count != 1)
		fail_msg("%s, not %s", wrong == NULL ? "good" : wrong, text);
	report_free(&report);
	vm_close(&fresh);
}

static void check_reload_in(enum state state, const char *text)
{
	vm_put(&v, state);
	check_reload(text);
}

#define GONE "unknown target \"gone\" in the new spec, but "

static void test_reload_without_the_present_target(void **state)
{
	(void)state;
	vm_prepare(&v, "vm.targets = { gone = {} }");
	check_reload_in(STATE_RUNNING, NULL);
	free(v.machine->boot.target);
	v.machine->boot.target = strdup("gone");
	for (enum state s = STATE_PREPARING; s <= STATE_DECIDING; s++)
		check_reload_in(s, GONE "this is the target of the present boot: keep it until");
	check_reload_in(STATE_WAITING, GONE "this is the target of the next boot");
	check_reload_in(STATE_RECOVERING, GONE "this is the target of the next boot");
	/* It has ended, and another one follows. */
	check_reload_in(STATE_GIVEN_UP, NULL);
	v.machine->choice.next_target = strdup("kept");
	check_reload_in(STATE_WAITING, NULL);
	check_reload_in(STATE_DRAFTING, NULL);
	free(v.machine->choice.next_target);
	v.machine->choice.next_target = strdup("gone");
	check_reload_in(STATE_WAITING, GONE "this is the target of the next boot");
	check_reload_in(STATE_DRAFTING, GONE "this is the target of the present boot");
	vm_close(&v);
}

/* A new spec has no use where no boot follows that would read it. */
static void test_reload_without_a_further_boot(void **state)
{
	(void)state;
	vm_prepare(&v, "vm.targets = { kept = {} }");
	check_reload_in(STATE_RUNNING, NULL);
	for (enum state s = STATE_ENDING; s < STATES; s++)
		check_reload_in(s, ENDING);
	v.machine->requests.stop_after_hook = true;
	check_reload_in(STATE_DECIDING, "the VM is being stopped");
	v.machine->requests.stop = true;
	check_reload_in(STATE_RUNNING, "the VM is being stopped");
	v.machine->options.policy.no_reboot = true;
	check_reload_in(STATE_RUNNING, NO_REBOOT);
	check_reload_in(STATE_WAITING, NO_REBOOT); /* the first boot is prepared */
	vm_close(&v);
	/* A first boot that is not prepared yet is one that follows. */
	vm_prepare(&v, "vm.targets = { kept = {} }");
	v.machine->options.policy.no_reboot = true;
	v.machine->choice.next_target = strdup("kept");
	check_reload_in(STATE_WAITING, NULL);
	v.machine->history.ends = 1;
	check_reload_in(STATE_WAITING, NO_REBOOT);
	vm_close(&v);
}

static void test_reload_without_a_decided_target(void **state)
{
	(void)state;
	vm_prepare(&v, "vm.targets = { gone = {} }");
	v.machine->requests.once_target = strdup("gone");
	check_reload_in(STATE_RUNNING, GONE "a next request names it");
	free(v.machine->requests.once_target);
	v.machine->requests.once_target = NULL;
	v.machine->requests.reboot_to = strdup("");
	check_reload_in(STATE_STOPPING, NULL);
	free(v.machine->requests.reboot_to);
	v.machine->requests.reboot_to = strdup("gone");
	check_reload_in(STATE_STOPPING, GONE "a reboot request names it");
	free(v.machine->requests.reboot_to);
	v.machine->requests.reboot_to = NULL;
	v.machine->choice.refused_target = strdup("gone");
	check_reload_in(STATE_GIVEN_UP, GONE "a reset boots it");
	check_reload_in(STATE_GIVING_UP, GONE "a reset boots it");
	v.machine->choice.decision.target = strdup("gone");
	check_reload_in(STATE_GIVING_UP, GONE "this is the target of the next boot");
	check_reload_in(STATE_RUNNING, NULL); /* decided for the boot before */
	vm_close(&v);
}

static void test_reload_without_a_target_of_the_policy(void **state)
{
	(void)state;
	vm_prepare(&v, "vm.targets = { gone = {} } vm.next_target = 'gone'");
	check_reload_in(STATE_RUNNING, GONE "next_target of the present boot names it");
	check_reload_in(STATE_GIVEN_UP, NULL);
	vm_close(&v);
	vm_prepare(&v, "vm.targets = { gone = {} } vm.on = { triple_fault = { boot = 'gone' } }");
	check_reload_in(STATE_RUNNING, GONE "on.triple_fault of the present boot names it");
	vm_close(&v);
	vm_prepare(&v, "vm.targets = { gone = {} } vm.on = { ['33'] = { boot = 'gone' } }");
	check_reload_in(STATE_RUNNING, GONE "on.33 of the present boot names it");
	vm_close(&v);
}

#define REQUEST(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REQUEST(test_stop_and_kill),
		REQUEST(test_reset),
		REQUEST(test_reboot),
		REQUEST(test_reboot_during_a_delay),
		REQUEST(test_requests_during_a_delay_are_decisions),
		REQUEST(test_target_of_reboot),
		REQUEST(test_refused_reboots),
		REQUEST(test_next),
		REQUEST(test_refused_next),
		REQUEST(test_reboot_after_next),
		REQUEST(test_told_target),
		REQUEST(test_told_state),
		REQUEST(test_told_wait),
		cmocka_unit_test(test_wake_of_the_console),
		REQUEST(test_told_step),
		REQUEST(test_reload_without_a_further_boot),
		REQUEST(test_reload_without_the_present_target),
		REQUEST(test_reload_without_a_decided_target),
		REQUEST(test_reload_without_a_target_of_the_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
