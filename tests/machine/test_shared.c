/* Functions that the phases of a machine share: its time, its helper, and its end. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "life.h"
#include "platform/clock.h"

static struct vm v = VM;

static bool help(const char *line)
{
	WORDS_AUTO struct words command = { 0 };

	assert_null(words_split(&command, line));
	return machine_start_helper(v.machine, &command, HELPER_ALL);
}

static bool helper_has_ended(const struct machine *m)
{
	return m->helper.job.pid == 0;
}

/* A simulation has its own time; a real run uses the clock. */
static void test_time(void **state)
{
	int64_t before, now;

	(void)state;
	vm_prepare(&v, "");
	v.machine->options.simulation->now_ms = 4711;
	assert_int_equal(machine_now(v.machine), 4711);
	v.machine->options.simulation = NULL;
	before = clock_ms();
	now = machine_now(v.machine);
	assert_true(before <= now && now <= clock_ms());
	vm_close(&v);
}

/* The tag of a process's end is another one than those of the child and of what it reads. */
static void test_tags(void **state)
{
	(void)state;
	assert_int_equal(machine_helper_tag(1) - MACHINE_TAGS, 1);
	assert_int_not_equal(machine_helper_tag(1), machine_helper_tag(2));
}

static void test_helper(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	assert_true(help("sh -c 'echo said; echo complained >&2; exit 3'"));
	assert_null(vm_event(&v, VMRUN_WARNING));
	vm_await(&v, helper_has_ended);
	assert_int_equal(v.machine->helper.status, 3);
	assert_string_equal(helper_output(&v.machine->helper), "said\ncomplained\n");
	vm_close(&v);
}

static void test_missing_helper(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	assert_false(help("./missing"));
	assert_int_equal(v.machine->helper.job.pid, 0);
	vm_check_event(&v, VMRUN_WARNING, "./missing: No such file or directory");
	vm_close(&v);
}

/* A helper that timed out is killed; vmrun does not wait long for one that does not die. */
static void test_late_helper(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	vm_make(&v, "", NULL);
	assert_true(help("sleep 600"));
	pid = v.machine->helper.job.pid;
	assert_false(machine_end_late_helper(v.machine));
	assert_int_equal(v.machine->helper.job.pid, pid);
	assert_true(machine_end_late_helper(v.machine));
	assert_int_equal(v.machine->helper.job.pid, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	/* The next one has its own time. */
	assert_true(help("sleep 600"));
	assert_false(machine_end_late_helper(v.machine));
	vm_close(&v);
}

static void test_destroy_command(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	assert_int_equal(mkdir("state/vmm", 0700), 0);
	for (int exists = 0; exists < 2; exists++) {
		WORDS_AUTO struct words command = { 0 };
		MEM_AUTO char *line = NULL;

		machine_destroy_command(v.machine, &command);
		line = words_shell_line(&command);
		assert_string_equal(line, exists ? "bhyvectl --vm=walk --destroy" : "");
		vm_write("state/vmm/walk", "");
	}
	vm_close(&v);
}

static void test_panic(void **state)
{
	(void)state;
	for (int panic = 0; panic < 2; panic++) {
		v.options.panic_on_failed_cleanup = panic == 1;
		vm_prepare(&v, "");
		assert_false(machine_must_panic(v.machine));
		machine_cleanup_failed(v.machine, "it is left");
		vm_check_event(&v, VMRUN_WARNING, "it is left");
		assert_int_equal(machine_must_panic(v.machine), panic);
		vm_close(&v);
	}
}

/* A stop overrides a reboot. */
static void test_stop_request(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	v.machine->requests.reboot_to = strdup("other");
	machine_request_stop(v.machine);
	assert_true(v.machine->requests.stop);
	assert_null(v.machine->requests.reboot_to);
	machine_request_stop(v.machine);
	assert_true(v.machine->requests.stop);
	vm_close(&v);
}

static void test_end(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	vm_check_next(machine_end(v.machine, 3), STATE_ENDING, -1);
	assert_int_equal(machine_status(v.machine), 3);
	/* The status of a hook's stop counts more; 0 is one, too. */
	v.machine->requests.status = 0;
	vm_check_next(machine_end(v.machine, 3), STATE_ENDING, -1);
	assert_int_equal(machine_status(v.machine), 0);
	vm_close(&v);
}

/* The hook's answer comes too late for a run that is stopped. */
static void test_stop_while_asking(void **state)
{
	(void)state;
	vm_prepare(&v, "function vm.on_exit() vmrun.sleep(600) end");
	hooks_call(v.machine, &hooks_exit, v.machine->boot.spec);
	assert_non_null(v.machine->calls.main);
	v.machine->history.outcome.cause = CAUSE_REBOOT;
	v.machine->end.status = 3;
	vm_check_next(machine_end_stopped(v.machine), STATE_ENDING, -1);
	assert_null(v.machine->calls.main);
	assert_false(v.machine->calls.main_ended);
	assert_true(v.machine->requests.stop);
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_STOPPED);
	assert_int_equal(v.machine->end.status, STATUS_OK);
	vm_close(&v);
}

/* A reboot without a target boots the next target. */
static void test_reboot_while_waiting(void **state)
{
	static const char *const targets[] = { "", "other" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		vm_prepare(&v, "");
		v.machine->choice.next_target = strdup("default");
		v.machine->requests.reboot_to = strdup(targets[i]);
		vm_check_next(machine_reboot_waiting(v.machine), STATE_WAITING, 0);
		assert_null(v.machine->requests.reboot_to);
		assert_string_equal(v.machine->choice.next_target, i == 0 ? "default" : "other");
		vm_close(&v);
	}
}

static const char *hear(struct signs *signs, enum channel channel, const char *line)
{
	(void)channel;
	(void)snprintf(signs->reason, sizeof(signs->reason), "%s", line);
	return NULL;
}

/* Starts a shell in place of the hypervisor, with a control channel; each of its lines is a reason.
 */
static void start_shell(const char *script)
{
	static struct hypervisor talks;
	struct child_inputs inputs = { .console = -1, .lock = -1 };
	struct plan *plan;
	struct error err = { 0 };

	vm_make(&v, "", NULL);
	plan = &v.machine->boot.plan;
	talks = *plan->hyper;
	talks.hear = hear;
	plan->hyper = &talks;
	plan->has_control = true;
	words_free(&plan->argv);
	words_add(&plan->argv, "sh");
	words_add(&plan->argv, "-c");
	words_add(&plan->argv, script);
	assert_int_equal(child_start(&v.machine->run.child, plan, CHILD_HYPERVISOR, v.machine->wait,
			     &inputs, &err),
	    0);
}

/* Waits until there is something to read on the control channel, or until it is closed. */
static void await_control(void)
{
	struct pollfd p = { .fd = v.machine->run.child.job.stream[CHANNEL_CONTROL].fd,
		.events = POLLIN };

	assert_int_equal(poll(&p, 1, 60000), 1);
}

/*
 * A hypervisor leaves once it has said why, or has closed its control channel, also when vmrun has
 * not read that yet.
 */
static void test_hypervisor_that_leaves(void **state)
{
	static const char *const ends[] = { "echo shutdown >&3;", "exec 3>&-;" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		MEM_AUTO char *script = mem_format("read go <&3; %s exec sleep 600", ends[i]);

		start_shell(script);
		assert_false(machine_hypervisor_leaves(v.machine));
		child_control(&v.machine->run.child, "go\n");
		await_control();
		assert_true(machine_hypervisor_leaves(v.machine));
		v.machine->boot.plan.has_control = false;
		assert_false(machine_hypervisor_leaves(v.machine));
		vm_close(&v);
	}
	/* None runs. */
	vm_make(&v, "", NULL);
	v.machine->boot.plan.has_control = true;
	assert_false(machine_hypervisor_leaves(v.machine));
	vm_close(&v);
}

#define PHASE(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PHASE(test_time),
		PHASE(test_tags),
		PHASE(test_helper),
		PHASE(test_missing_helper),
		PHASE(test_late_helper),
		PHASE(test_destroy_command),
		PHASE(test_panic),
		PHASE(test_stop_request),
		PHASE(test_end),
		PHASE(test_stop_while_asking),
		PHASE(test_reboot_while_waiting),
		PHASE(test_hypervisor_that_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
