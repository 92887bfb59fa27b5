/* From the name of a target to its boot, and the targets that on_start names in its place. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "life.h"
#include "machine/draft.h"

/* An on_prepare that does this for all boots but the first, which vm_prepare() prepares. */
#define ON_SECOND(lua) \
	"local n = 0 function vm.on_prepare(spec) n = n + 1 if n > 1 then " lua " end end"

static struct vm v = VM;

static void set_target(const char *target)
{
	free(v.machine->choice.next_target);
	v.machine->choice.next_target = strdup(target);
}

/* Enters the drafting of this target. */
static struct next draft(const char *target)
{
	set_target(target);
	vm_put(&v, STATE_DRAFTING);
	return machine_states[STATE_DRAFTING].enter(v.machine);
}

static void test_due(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	vm_put(&v, STATE_WAITING);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_PREPARING, -1); /* the boot is prepared */
	set_target("other");
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_DRAFTING, -1);
	vm_close(&v);
}

static void test_draft(void **state)
{
	(void)state;
	vm_prepare(&v, "function vm.on_prepare(spec) spec.cpu = 3 return spec end");
	v.machine->run.lost_ports = 16; /* of the boot before */
	vm_check_next(draft("other"), STATES, -1);
	assert_int_equal(v.machine->run.lost_ports, 0);
	assert_true(v.machine->calls.main_ended); /* on_prepare has answered at once */
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_PREPARING, -1);
	assert_string_equal(v.machine->boot.target, "other");
	assert_int_not_equal(v.machine->boot.plan.argv.count, 0);
	assert_null(v.machine->draft.boot.spec);
	vm_close(&v);
}

/* A target that boots again keeps its spec and plan, unless the spec was read anew. */
static void test_again(void **state)
{
	const struct spec *spec;

	(void)state;
	vm_prepare(&v, "");
	v.machine->history.boots = 1;
	vm_check_next(draft("other"), STATES, -1);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_PREPARING, -1);
	spec = v.machine->boot.spec;
	v.machine->run.lost_ports = 16;
	vm_check_next(draft("other"), STATE_PREPARING, -1);
	assert_int_equal(v.machine->run.lost_ports, 0);
	assert_ptr_equal(v.machine->boot.spec, spec);
	vm_check_next(draft("default"), STATES, -1);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_PREPARING, -1);
	assert_string_equal(v.machine->boot.target, "default");
	/* After a failed draft the boot is that of another target. */
	vm_check_next(draft("none"), STATE_DECIDING, -1);
	assert_string_equal(v.machine->boot.target, "none");
	assert_false(v.machine->boot.is_kept);
	vm_check_next(draft("other"), STATES, -1);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_PREPARING, -1);
	v.machine->draft.fresh = v.machine->source; /* as good as a spec that was read again */
	assert_false(draft_boots_again(v.machine));
	v.machine->draft.fresh = NULL;
	assert_true(draft_boots_again(v.machine));
	vm_close(&v);
}

/* The end of a hypervisor leads to one boot in the same turn of the loop, without a delay. */
static void test_at_once(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	set_target("other");
	vm_check_next(draft_or_wait(v.machine), STATES, -1);
	v.machine->run.has_just_ended = true;
	vm_check_next(draft_or_wait(v.machine), STATE_DRAFTING, -1);
	vm_check_next(draft_or_wait(v.machine), STATES, -1);
	v.machine->run.has_just_ended = true;
	v.machine->choice.decision.delay_ms = 1;
	vm_check_next(draft_or_wait(v.machine), STATES, -1);
	assert_false(v.machine->run.has_just_ended);
	vm_close(&v);
}

static void check_failure(const char *text)
{
	const struct vmrun_event *e = vm_event(&v, VMRUN_EXITED);

	assert_non_null(e);
	assert_string_equal(e->cause, "check_failed");
	assert_string_equal(e->target, "other");
	assert_non_null(strstr(e->text, text));
	assert_string_equal(v.machine->boot.target, "other");
	assert_int_equal(v.machine->history.ends, 1);
	assert_null(v.machine->draft.boot.spec);
	assert_int_equal(v.machine->draft.faults.count, 0);
}

/* The policy of the target decides about a draft that failed. */
static void test_failed_hook(void **state)
{
	(void)state;
	for (int boots = 0; boots < 2; boots++) {
		vm_prepare(&v, ON_SECOND("error('broken')"));
		v.machine->history.boots = boots;
		vm_check_next(draft("other"), STATES, -1);
		vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_DECIDING, -1);
		check_failure("broken");
		/* The status of the fault is for a spec that never booted. */
		assert_int_equal(
		    v.machine->draft.fault_status, boots == 0 ? STATUS_CHECK : STATUS_OK);
		vm_close(&v);
	}
}

static void test_changed_spec(void **state)
{
	(void)state;
	vm_prepare(&v, ON_SECOND("spec.cpu = 'many' return spec"));
	vm_check_next(draft("other"), STATES, -1);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_DECIDING, -1);
	check_failure("cpu");
	assert_int_equal(v.machine->draft.fault_status, STATUS_SPEC);
	vm_close(&v);
}

/* Without the policy of any boot, the run ends with the status of the fault. */
static void test_unknown_target(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	boot_clear(&v.machine->boot);
	vm_check_next(draft("none"), STATE_ENDING, -1);
	assert_int_equal(v.machine->end.status, STATUS_SPEC);
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_CHECK_FAILED);
	assert_int_equal(vm_count_events(&v, VMRUN_WARNING), 1);
	vm_close(&v);
	/* The last boot's policy decides where there was one. */
	vm_prepare(&v, "");
	vm_check_next(draft("none"), STATE_DECIDING, -1);
	assert_string_equal(v.machine->boot.target, "none");
	vm_close(&v);
}

/* Lets on_start name this target, and returns what follows. */
static struct next name_target(const char *target)
{
	vm_put(&v, STATE_PREPARING);
	v.machine->draft.instead = strdup(target);
	v.machine->draft.refusal = strdup("on_start boots another target");
	return vm_act(&v, EVENT_HOOK_ENDED);
}

static void test_detours(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	vm_prepare(&v, "");
	for (int round = 0; round < 2; round++) {
		for (int i = 1; i <= MAX_DETOURS; i++) {
			vm_check_next(name_target("other"), STATE_DRAFTING, -1);
			assert_int_equal(v.machine->draft.detours, i);
			assert_string_equal(v.machine->choice.next_target, "other");
			assert_null(v.machine->draft.instead);
		}
		assert_int_equal(vm_count_events(&v, VMRUN_NOTE), MAX_DETOURS);
		vm_check_next(name_target("other"), STATE_DECIDING, -1);
		e = vm_event(&v, VMRUN_EXITED);
		assert_non_null(e);
		assert_string_equal(
		    e->text, "on_start boots another target: endless loop in on_start");
	}
	vm_close(&v);
}

static void test_detour_to_itself(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	v.machine->draft.detours = MAX_DETOURS;
	vm_check_next(name_target("default"), STATE_STARTING, -1);
	assert_int_equal(v.machine->draft.detours, 0);
	vm_close(&v);
}

static void test_refusal(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	vm_prepare(&v, "");
	vm_put(&v, STATE_PREPARING);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_STARTING, -1);
	v.machine->draft.refusal = strdup("on_start refused the boot");
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_DECIDING, -1);
	assert_null(v.machine->draft.refusal);
	e = vm_event(&v, VMRUN_EXITED);
	assert_non_null(e);
	assert_string_equal(e->text, "on_start refused the boot");
	vm_close(&v);
}

static void test_stop(void **state)
{
	(void)state;
	vm_prepare(&v, "function vm.on_prepare() vmrun.sleep(600) end");
	vm_check_next(draft("other"), STATES, -1);
	assert_non_null(v.machine->calls.main);
	vm_check_next(vm_act(&v, EVENT_STOP), STATE_ENDING, -1);
	assert_null(v.machine->calls.main);
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_STOPPED);
	assert_int_equal(v.machine->end.status, STATUS_OK);
	vm_close(&v);
}

#define DRAFT(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRAFT(test_due),
		DRAFT(test_draft),
		DRAFT(test_again),
		DRAFT(test_at_once),
		DRAFT(test_failed_hook),
		DRAFT(test_changed_spec),
		DRAFT(test_unknown_target),
		DRAFT(test_detours),
		DRAFT(test_detour_to_itself),
		DRAFT(test_refusal),
		DRAFT(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
