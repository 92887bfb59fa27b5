/* The decision after a boot: the rate limit, delays, requests, and the exit status. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "life.h"
#include "lib/handle.h"

static struct vm v = VM;

/* Ends a boot of the prepared VM by this cause, up to the decision. */
static void end_boot(enum cause cause)
{
	vm_put(&v, STATE_DECIDING);
	v.machine->history.outcome = (struct outcome){ .cause = cause };
	v.machine->history.uptime_ms = 0;
}

static struct next decide(enum cause cause)
{
	end_boot(cause);
	return vm_act(&v, EVENT_HOOK_ENDED);
}

static void pass(int64_t ms)
{
	v.handle->simulation.now_ms += ms;
}

static void test_limit(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	vm_prepare(&v, "vm.restart_limit = { count = 3, within = 60 }");
	for (int i = 0; i < 3; i++) {
		pass(1);
		vm_check_next(decide(CAUSE_REBOOT), STATE_WAITING, 0);
	}
	assert_int_equal(v.machine->choice.rate_limit.boots, 3);
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	assert_int_equal(v.machine->choice.rate_limit.boots, 3);
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_GIVEN_UP);
	assert_string_equal(v.machine->choice.refused_target, "default");
	e = vm_event(&v, VMRUN_GIVEN_UP);
	assert_non_null(e);
	assert_string_equal(e->by, "restart_limit");
	vm_put(&v, STATE_GIVING_UP);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_ENDING, -1);
	assert_int_equal(v.machine->end.status, STATUS_GIVEN_UP);
	vm_close(&v);
}

/* The window is over one millisecond later. */
static void test_window(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		vm_prepare(&v, "vm.restart_limit = { count = 1, within = 60 }");
		vm_check_next(decide(CAUSE_REBOOT), STATE_WAITING, 0);
		pass(59999 + late);
		vm_check_next(
		    decide(CAUSE_REBOOT), late ? STATE_WAITING : STATE_GIVING_UP, late ? 0 : -1);
		vm_close(&v);
	}
}

static void test_delay(void **state)
{
	const char *more = "vm.backoff = { initial = 2, factor = 3, max = 10 }\n"
			   "vm.restart_limit = false\n"
			   "vm.on = { halt = { boot = 'other', delay = 7 }, poweroff = 'boot',\n"
			   "  reboot = 'boot' }";
	static const int64_t delays[] = { 2000, 6000, 10000, 10000 };

	(void)state;
	vm_prepare(&v, more);
	for (size_t i = 0; i < sizeof(delays) / sizeof(*delays); i++)
		vm_check_next(decide(CAUSE_POWEROFF), STATE_WAITING, delays[i]);
	/* A delay of the spec overrides the backoff, and the guest's reboot has none. */
	vm_check_next(decide(CAUSE_HALT), STATE_WAITING, 7000);
	assert_string_equal(v.machine->choice.next_target, "other");
	vm_check_next(decide(CAUSE_REBOOT), STATE_WAITING, 0);
	assert_string_equal(v.machine->choice.next_target, "default");
	assert_int_equal(vm_count_events(&v, VMRUN_DECIDED), 6);
	vm_close(&v);
}

static void test_requested_reboots_do_not_count(void **state)
{
	(void)state;
	vm_prepare(&v, "vm.restart_limit = { count = 1, within = 60 }");
	for (int i = 0; i < 3; i++) {
		v.machine->requests.reboot_to = strdup(i == 1 ? "other" : "");
		vm_check_next(decide(CAUSE_POWEROFF), STATE_WAITING, 0);
		assert_string_equal(v.machine->choice.next_target, i == 1 ? "other" : "default");
		assert_null(v.machine->requests.reboot_to);
	}
	assert_int_equal(v.machine->choice.rate_limit.boots, 0);
	vm_check_next(decide(CAUSE_REBOOT), STATE_WAITING, 0);
	assert_int_equal(v.machine->choice.rate_limit.boots, 1);
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	vm_close(&v);
}

/* A hook that always requests a reboot cannot go on for ever: each is an automatic boot. */
static void test_reboots_by_hooks_count(void **state)
{
	struct machine *m;

	(void)state;
	vm_prepare(
	    &v, "vm.restart_limit = { count = 1, within = 60 } vm.on = { given_up = 'wait' }");
	m = v.machine;
	for (int i = 0; i < 2; i++) {
		m->requests.reboot_to = strdup("other");
		m->requests.is_automatic = true;
		vm_check_next(decide(CAUSE_REBOOT), i == 0 ? STATE_WAITING : STATE_GIVING_UP,
		    i == 0 ? 0 : -1);
	}
	assert_string_equal(m->choice.refused_target, "other");
	assert_null(m->requests.reboot_to);
	vm_close(&v);
	vm_prepare(&v, "");
	m = v.machine;
	m->options.policy.reboot_count = 0;
	m->requests.reboot_to = strdup("");
	m->requests.is_automatic = true;
	vm_check_next(decide(CAUSE_REBOOT), STATE_ENDING, -1);
	assert_string_equal(m->choice.decision.by, "--reboot-count 0");
	vm_close(&v);
}

/* A requested reboot during on_exit decides at once. */
static void test_reboot_while_deciding(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	end_boot(CAUSE_POWEROFF);
	v.machine->requests.reboot_to = strdup("other");
	vm_check_next(vm_act(&v, EVENT_REBOOT), STATE_WAITING, 0);
	assert_string_equal(v.machine->choice.next_target, "other");
	vm_close(&v);
}

/* Ends a start that another program took the port from, and that is not the last one. */
static void lose_port(void)
{
	vm_prepare(&v, "function vm.on_exit() return 'other' end");
	end_boot(CAUSE_REBOOT);
	v.machine->choice.next_target = strdup("other"); /* of the last decision */
	v.machine->run.starts_again = true;
}

/* Nobody decides about a boot that starts again. */
static void test_start_again(void **state)
{
	(void)state;
	lose_port();
	vm_check_next(vm_act(&v, EVENT_CALLS_ENDED), STATE_WAITING, 0);
	assert_null(v.machine->choice.next_target); /* the boot is prepared */
	assert_false(v.machine->run.starts_again);
	assert_int_equal(v.machine->choice.rate_limit.boots, 0);
	assert_int_equal(vm_count_events(&v, VMRUN_DECIDED), 0);
	vm_close(&v);
	lose_port();
	v.machine->requests.stop = true;
	vm_check_next(vm_act(&v, EVENT_CALLS_ENDED), STATE_ENDING, -1);
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_STOPPED);
	vm_close(&v);
	lose_port();
	v.machine->requests.reboot_to = strdup("default");
	vm_check_next(vm_act(&v, EVENT_REBOOT), STATE_WAITING, 0);
	assert_string_equal(v.machine->choice.next_target, "default");
	assert_false(v.machine->run.starts_again);
	vm_close(&v);
}

static void test_next_request(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	v.machine->requests.once_target = strdup("other");
	vm_check_next(decide(CAUSE_REBOOT), STATE_WAITING, 0);
	assert_string_equal(v.machine->choice.next_target, "other");
	assert_null(v.machine->requests.once_target);
	/* The request does not decide whether the VM boots. */
	v.machine->requests.once_target = strdup("other");
	vm_check_next(decide(CAUSE_POWEROFF), STATE_ENDING, -1);
	vm_close(&v);
}

static void test_wait(void **state)
{
	struct machine *m;

	(void)state;
	vm_prepare(
	    &v, "vm.restart_limit = { count = 1, within = 60 } vm.on = { given_up = 'wait' }");
	m = v.machine;
	(void)decide(CAUSE_REBOOT);
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	vm_put(&v, STATE_GIVING_UP);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_GIVEN_UP, -1);
	vm_put(&v, STATE_GIVEN_UP);
	vm_check_next(vm_act(&v, EVENT_RESET), STATE_WAITING, 0);
	assert_string_equal(m->choice.next_target, "default");
	assert_string_equal(m->choice.decision.by, "reset");
	/* What a person asked for is no automatic boot. */
	vm_check_next(decide(CAUSE_REBOOT), STATE_WAITING, 0);
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	vm_put(&v, STATE_GIVEN_UP);
	m->requests.reboot_to = strdup("other");
	vm_check_next(vm_act(&v, EVENT_REBOOT), STATE_WAITING, 0);
	assert_string_equal(m->choice.next_target, "other");
	assert_null(m->requests.reboot_to);
	assert_string_equal(m->choice.decision.by, "the reboot request");
	/* A next request came before: it is for this boot. */
	vm_check_next(decide(CAUSE_REBOOT), STATE_WAITING, 0);
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	vm_put(&v, STATE_GIVEN_UP);
	m->requests.once_target = strdup("other");
	vm_check_next(vm_act(&v, EVENT_RESET), STATE_WAITING, 0);
	assert_string_equal(m->choice.next_target, "other");
	assert_null(m->requests.once_target);
	vm_close(&v);
	/* It also counts while on_exit hears of the end, and before. */
	for (int before = 0; before < 2; before++) {
		vm_prepare(&v,
		    "vm.restart_limit = { count = 1, within = 60 }\n"
		    "vm.on = { given_up = { boot = 'default' } }");
		m = v.machine;
		(void)decide(CAUSE_REBOOT);
		if (before == 1)
			m->requests.once_target = strdup("other");
		vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
		vm_put(&v, STATE_GIVING_UP);
		if (before == 0)
			m->requests.once_target = strdup("other");
		vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_WAITING, 0);
		assert_string_equal(m->choice.next_target, "other");
		assert_string_equal(m->choice.decision.by, "the next request");
		assert_int_equal(vm_count_events(&v, VMRUN_DECIDED), before ? 2 : 3);
		assert_null(m->requests.once_target);
		vm_close(&v);
	}
}

/* The decision to wait is told before on_exit hears of it: a reset meanwhile is kept until then. */
static void test_reset_while_giving_up(void **state)
{
	struct vmrun_state told;
	const struct vmrun_event *e;

	(void)state;
	vm_prepare(
	    &v, "vm.restart_limit = { count = 1, within = 60 } vm.on = { given_up = 'wait' }");
	(void)decide(CAUSE_REBOOT);
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	vm_put(&v, STATE_GIVING_UP);
	machine_get_state(v.machine, &told);
	assert_string_equal(told.state, "given_up");
	assert_string_equal(told.next_target, "default");
	assert_true(machine_reset(v.machine, true));
	assert_int_equal(v.machine->present.state, STATE_GIVING_UP);
	assert_int_equal(vm_count_events(&v, VMRUN_DECIDED), 2);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_WAITING, 0);
	e = vm_event(&v, VMRUN_DECIDED);
	assert_non_null(e);
	assert_string_equal(e->by, "reset");
	/* It is done, and a hook's boot counts: the next time, vmrun waits again. */
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	vm_put(&v, STATE_GIVING_UP);
	(void)machine_states[STATE_GIVING_UP].enter(v.machine);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_GIVEN_UP, -1);
	vm_close(&v);
	/* Where on.given_up boots or stops, there is nothing to reset. */
	vm_prepare(&v, "vm.restart_limit = { count = 1, within = 60 }");
	(void)decide(CAUSE_REBOOT);
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	vm_put(&v, STATE_GIVING_UP);
	machine_get_state(v.machine, &told);
	assert_string_equal(told.state, "waiting");
	assert_false(machine_reset(v.machine, false));
	vm_close(&v);
}

/* on.given_up boots its target once; after that the limit ends the run. */
static void test_given_up_boots_once(void **state)
{
	(void)state;
	vm_prepare(&v,
	    "vm.restart_limit = { count = 1, within = 60 }\n"
	    "vm.on = { given_up = { boot = 'other' } }");
	vm_check_next(decide(CAUSE_REBOOT), STATE_WAITING, 0);
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	assert_int_equal(v.machine->choice.given_up_boots, 1);
	vm_put(&v, STATE_GIVING_UP);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_WAITING, 0);
	assert_string_equal(v.machine->choice.next_target, "other");
	vm_check_next(decide(CAUSE_REBOOT), STATE_GIVING_UP, -1);
	assert_string_equal(v.machine->choice.decision.by, "restart_limit");
	assert_false(v.machine->choice.decision.boot);
	vm_close(&v);
}

static int status_of(enum cause cause)
{
	vm_check_next(decide(cause), STATE_ENDING, -1);
	return v.machine->end.status;
}

static void test_final_status(void **state)
{
	struct machine *m;

	(void)state;
	vm_prepare(&v, "");
	m = v.machine;
	assert_int_equal(status_of(CAUSE_POWEROFF), STATUS_OK);
	assert_int_equal(status_of(CAUSE_TRIPLE_FAULT), 3);
	assert_int_equal(status_of(CAUSE_START_FAILED), STATUS_FAULT);
	m->run.exec_status = 127;
	assert_int_equal(status_of(CAUSE_START_FAILED), 127);
	assert_int_equal(status_of(CAUSE_CHECK_FAILED), STATUS_CHECK);
	/* A first boot that could not be prepared ends with the status of its fault. */
	m->draft.fault_status = STATUS_SPEC;
	assert_int_equal(status_of(CAUSE_CHECK_FAILED), STATUS_SPEC);
	assert_int_equal(status_of(CAUSE_POWEROFF), STATUS_OK);
	/* vmrun.stop(N) of a hook overrides both. */
	m->choice.answer = node_new(NODE_OBJECT);
	m->choice.answer_label = strdup("on_exit of vm.lua");
	node_put(m->choice.answer, "action", node_string("stop"));
	node_put(m->choice.answer, "status", node_int(0));
	assert_int_equal(status_of(CAUSE_CHECK_FAILED), 0);
	node_put(m->choice.answer, "status", node_int(42));
	assert_int_equal(status_of(CAUSE_CHECK_FAILED), 42);
	vm_close(&v);
}

static void test_stop_request(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	v.machine->requests.stop = true;
	assert_int_equal(status_of(CAUSE_REBOOT), STATUS_OK);
	assert_string_equal(v.machine->choice.decision.by, "the stop request");
	vm_close(&v);
}

/* A stop while on_exit runs is a decision, too, and told as such. */
static void test_stop_while_deciding(void **state)
{
	static const enum event events[] = { EVENT_STOP, EVENT_KILL };
	const struct vmrun_event *e;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		vm_prepare(&v, "");
		end_boot(CAUSE_REBOOT);
		vm_check_next(vm_act(&v, events[i]), STATE_ENDING, -1);
		assert_int_equal(v.machine->end.status, STATUS_OK);
		assert_int_equal(v.machine->history.outcome.cause, CAUSE_STOPPED);
		e = vm_event(&v, VMRUN_DECIDED);
		assert_non_null(e);
		assert_string_equal(e->action, "stop");
		assert_string_equal(e->by, "the stop request");
		assert_string_equal(e->cause, "stopped");
		vm_close(&v);
	}
	/* A start that lost its port is no end of a boot. */
	vm_prepare(&v, "");
	end_boot(CAUSE_START_FAILED);
	v.machine->run.starts_again = true;
	vm_check_next(vm_act(&v, EVENT_STOP), STATE_ENDING, -1);
	assert_int_equal(vm_count_events(&v, VMRUN_DECIDED), 0);
	vm_close(&v);
}

static void answer(struct vmrun_decision *d, void *context)
{
	const struct vmrun_decision *a = context;

	assert_string_equal(d->ended, "default");
	d->action = a->action;
	d->target = a->target;
	d->delay_ms = a->delay_ms;
	d->exit_status = a->exit_status;
}

/* Asks a program that answers this before hooks and the policy are asked. */
static struct next ask_program(struct vmrun_decision *a)
{
	vm_prepare(&v, "vm.on = { reboot = 'stop' }");
	v.machine->options.decide = answer;
	v.machine->options.decide_context = a;
	end_boot(CAUSE_REBOOT);
	return vm_act(&v, EVENT_CALLS_ENDED);
}

static void test_program_that_boots(void **state)
{
	struct vmrun_decision boot = {
		.action = VMRUN_DECIDE_BOOT, .target = "other", .delay_ms = 2500, .exit_status = 7
	};

	(void)state;
	vm_check_next(ask_program(&boot), STATE_WAITING, 2500);
	assert_string_equal(v.machine->choice.next_target, "other");
	assert_string_equal(v.machine->choice.decision.by, "the program");
	vm_close(&v);
	/* Without a target and a delay those of the policy apply; 0 is a delay. */
	boot = (struct vmrun_decision){ .action = VMRUN_DECIDE_BOOT, .delay_ms = 0 };
	vm_check_next(ask_program(&boot), STATE_WAITING, 0);
	assert_string_equal(v.machine->choice.next_target, "default");
	assert_int_equal(node_get(v.machine->choice.answer, "delay")->number, 0);
	vm_close(&v);
	boot.delay_ms = -1;
	(void)ask_program(&boot);
	assert_null(node_get(v.machine->choice.answer, "delay"));
	vm_close(&v);
}

static void test_program_that_stops(void **state)
{
	struct vmrun_decision stop = {
		.action = VMRUN_DECIDE_STOP, .target = "other", .delay_ms = 2500, .exit_status = 255
	};

	(void)state;
	vm_check_next(ask_program(&stop), STATE_ENDING, -1);
	assert_int_equal(v.machine->end.status, 255);
	vm_close(&v);
	stop.exit_status = -1; /* that of the cause */
	vm_check_next(ask_program(&stop), STATE_ENDING, -1);
	assert_int_equal(v.machine->end.status, 0);
	vm_close(&v);
}

static void check_ignored(struct vmrun_decision *a, const char *why)
{
	vm_check_next(ask_program(a), STATES, -1);
	vm_check_told(&v, "warning the answer of the program is ignored: ");
	vm_check_told(&v, why);
	assert_null(v.machine->choice.answer);
	vm_close(&v);
}

static void test_program_that_is_wrong(void **state)
{
	struct vmrun_decision boot = { .action = VMRUN_DECIDE_BOOT, .target = "none" };
	struct vmrun_decision late = { .action = VMRUN_DECIDE_BOOT, .delay_ms = INT64_MAX };
	struct vmrun_decision early = { .action = VMRUN_DECIDE_BOOT, .delay_ms = -2 };
	struct vmrun_decision stop = { .action = VMRUN_DECIDE_STOP, .exit_status = 256 };
	struct vmrun_decision below = { .action = VMRUN_DECIDE_STOP, .exit_status = -2 };
	struct vmrun_decision odd = { .action = (enum vmrun_decision_action)99 };

	(void)state;
	check_ignored(
	    &boot, "unknown target \"none\" (known: default, other); hooks and the policy decide");
	check_ignored(&late, "the delay of 9223372036854775807 ms is out of range: expected 0 to ");
	check_ignored(&early, "the delay of -2 ms is out of range: expected 0 to 31622400000");
	check_ignored(&stop, "the exit status 256 is out of range: expected 0 to 255");
	check_ignored(&below, "the exit status -2 is out of range");
	check_ignored(&odd, "unknown action 99");
}

#define DECIDE(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DECIDE(test_limit),
		DECIDE(test_window),
		DECIDE(test_delay),
		DECIDE(test_requested_reboots_do_not_count),
		DECIDE(test_reboots_by_hooks_count),
		DECIDE(test_reboot_while_deciding),
		DECIDE(test_start_again),
		DECIDE(test_next_request),
		DECIDE(test_wait),
		DECIDE(test_reset_while_giving_up),
		DECIDE(test_given_up_boots_once),
		DECIDE(test_final_status),
		DECIDE(test_stop_request),
		DECIDE(test_stop_while_deciding),
		DECIDE(test_program_that_boots),
		DECIDE(test_program_that_stops),
		DECIDE(test_program_that_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
