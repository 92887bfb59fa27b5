/* The stop ladder, step by step: the effect of each request, and the time of each step. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"

#define LADDER                                                                            \
	"vm.stop = { { ['do'] = 'acpi', wait = 7 }, { ['do'] = 'poweroff', wait = 0 },\n" \
	"  { ['do'] = 'acpi', wait = 11 } }"

static struct vm v = VM;

static void open_running(const char *more)
{
	vm_prepare(&v, more);
	vm_put(&v, STATE_RUNNING);
}

/* Starts a process that stands for the hypervisor: each signal ends it. */
static void start_hypervisor(void)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)signal(SIGTERM, SIG_DFL);
		for (;;)
			(void)pause();
	}
	v.machine->run.child.job.pid = pid;
}

/* Fails unless this signal ended the process. */
static void check_signal(int signal)
{
	int status;

	assert_int_equal(
	    waitpid(v.machine->run.child.job.pid, &status, 0), v.machine->run.child.job.pid);
	v.machine->run.child.job.pid = 0;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
}

static void check_step(struct next next, const char *name, int64_t ms)
{
	const struct vmrun_event *e = vm_event(&v, VMRUN_STOPPING);

	vm_check_next(next, STATE_STOPPING, ms);
	assert_non_null(e);
	assert_string_equal(e->action, name);
	assert_string_equal(e->target, "default");
	assert_int_equal(e->delay_ms, ms);
	vm_put(&v, STATE_STOPPING);
}

static void test_ladder(void **state)
{
	(void)state;
	open_running(LADDER);
	start_hypervisor();
	check_step(vm_act(&v, EVENT_STOP), "acpi", 7000);
	check_signal(SIGTERM);
	assert_true(v.machine->requests.stop);
	check_step(vm_act(&v, EVENT_DEADLINE), "poweroff", 0);
	assert_int_not_equal(v.machine->helper.job.pid, 0); /* bhyvectl */
	start_hypervisor();
	check_step(vm_act(&v, EVENT_DEADLINE), "acpi", 11000);
	check_signal(SIGTERM);
	for (int i = 0; i < 2; i++) {
		start_hypervisor();
		check_step(vm_act(&v, EVENT_DEADLINE), "kill", 5000);
		check_signal(SIGKILL);
	}
	assert_int_equal(v.machine->requests.stop_step, 5);
	vm_close(&v);
}

static void test_hurry(void **state)
{
	(void)state;
	open_running(LADDER);
	check_step(vm_act(&v, EVENT_STOP), "acpi", 7000);
	check_step(vm_act(&v, EVENT_STOP), "poweroff", 0);
	check_step(vm_act(&v, EVENT_STOP), "acpi", 11000);
	check_step(vm_act(&v, EVENT_STOP), "kill", 5000);
	vm_close(&v);
}

/* A stop of a running VM begins with the first step, whatever an earlier boot has reached. */
static void test_stop_begins_anew(void **state)
{
	(void)state;
	open_running(LADDER);
	v.machine->requests.stop_step = 2;
	check_step(vm_act(&v, EVENT_STOP), "acpi", 7000);
	assert_int_equal(v.machine->requests.stop_step, 1);
	vm_close(&v);
}

static void test_kill(void **state)
{
	(void)state;
	open_running(LADDER);
	start_hypervisor();
	check_step(vm_act(&v, EVENT_KILL), "kill", 5000);
	check_signal(SIGKILL);
	assert_true(v.machine->requests.stop);
	check_step(vm_act(&v, EVENT_KILL), "kill", 5000);
	vm_close(&v);
	/* After the first step of the ladder, a kill skips the others. */
	open_running(LADDER);
	check_step(vm_act(&v, EVENT_STOP), "acpi", 7000);
	check_step(vm_act(&v, EVENT_KILL), "kill", 5000);
	vm_close(&v);
}

static void test_reboot(void **state)
{
	struct machine *m;

	(void)state;
	open_running(LADDER);
	m = v.machine;
	m->requests.stop_step = 2; /* of the boot before */
	check_step(vm_act(&v, EVENT_REBOOT), "acpi", 7000);
	assert_false(m->requests.stop);
	check_step(vm_act(&v, EVENT_REBOOT), "poweroff", 0);
	assert_false(m->requests.stop);
	/* A stop overrides the reboot, and takes the next step. */
	m->requests.reboot_to = strdup("other");
	check_step(vm_act(&v, EVENT_STOP), "acpi", 11000);
	assert_true(m->requests.stop);
	assert_null(m->requests.reboot_to);
	vm_close(&v);
}

static void test_ladder_of_a_kill(void **state)
{
	(void)state;
	open_running("vm.stop = { { ['do'] = 'kill', wait = 2 } }");
	check_step(vm_act(&v, EVENT_STOP), "kill", 2000);
	check_step(vm_act(&v, EVENT_DEADLINE), "kill", 5000);
	vm_close(&v);
}

static void test_waiting(void **state)
{
	static const enum state waiting[] = { STATE_WAITING, STATE_GIVEN_UP };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (int kill = 0; kill < 2; kill++) {
			vm_prepare(&v, "");
			vm_put(&v, waiting[i]);
			v.machine->end.status = 1;
			v.machine->requests.reboot_to = strdup("");
			vm_check_next(vm_act(&v, kill ? EVENT_KILL : EVENT_STOP), STATE_ENDING, -1);
			assert_int_equal(v.machine->end.status, STATUS_OK);
			assert_true(v.machine->requests.stop);
			assert_null(v.machine->requests.reboot_to);
			assert_int_equal(v.machine->history.outcome.cause, CAUSE_STOPPED);
			assert_int_equal(vm_count_events(&v, VMRUN_STOPPING), 0);
			vm_close(&v);
		}
	}
}

#define STOP(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

/* The reason to end the boot stands in the event, until a request overrules it. */
static void test_unfit(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	open_running(LADDER);
	start_hypervisor();
	v.machine->guest.unfit = CAUSE_UNHEALTHY;
	v.machine->guest.why = mem_copy("3 tries in a row failed: refused");
	vm_check_next(vm_act(&v, EVENT_UNFIT), STATE_STOPPING, 7000);
	check_signal(SIGTERM);
	assert_false(v.machine->requests.stop);
	e = vm_event(&v, VMRUN_STOPPING);
	assert_string_equal(e->cause, "unhealthy");
	assert_string_equal(e->cause_text, "3 tries in a row failed: refused");
	vm_put(&v, STATE_STOPPING);
	(void)vm_act(&v, EVENT_DEADLINE);
	assert_string_equal(vm_event(&v, VMRUN_STOPPING)->cause, "unhealthy");
	vm_check_next(vm_act(&v, EVENT_STOP), STATES, -1);
	assert_true(v.machine->requests.stop);
	start_hypervisor();
	(void)vm_act(&v, EVENT_STOP);
	check_signal(SIGTERM);
	e = vm_event(&v, VMRUN_STOPPING);
	assert_string_equal(e->cause, "stopped");
	assert_string_equal(e->cause_text, cause_text(CAUSE_STOPPED));
	vm_close(&v);
}

/* Begins the ladder for a guest that is not healthy. */
static void fail_guest(void)
{
	open_running(LADDER);
	v.machine->guest.unfit = CAUSE_UNHEALTHY;
	v.machine->guest.why = mem_copy("3 tries in a row failed: refused");
	check_step(vm_act(&v, EVENT_UNFIT), "acpi", 7000);
	v.machine->present.deadline_ms = machine_now(v.machine) + 7000;
}

/* The first request leaves the guest the time of the step that vmrun took by itself. */
static void test_first_request_after_unfit(void **state)
{
	(void)state;
	fail_guest();
	vm_check_next(vm_act(&v, EVENT_STOP), STATES, -1);
	vm_check_event(&v, VMRUN_NOTE,
	    "stop requested: the step acpi goes on for 7.0 s; another request starts the next step "
	    "at once");
	check_step(vm_act(&v, EVENT_STOP), "poweroff", 0);
	vm_close(&v);
	/* A reboot request is such a request, too; the stop after it is the second one. */
	fail_guest();
	v.machine->requests.reboot_to = strdup("other");
	vm_check_next(vm_act(&v, EVENT_REBOOT), STATES, -1);
	vm_check_event(&v, VMRUN_NOTE,
	    "reboot requested: the step acpi goes on for 7.0 s; another request starts the next "
	    "step at once");
	check_step(vm_act(&v, EVENT_STOP), "poweroff", 0);
	vm_close(&v);
	fail_guest();
	check_step(vm_act(&v, EVENT_KILL), "kill", 5000);
	vm_close(&v);
	/* The ladder of a later boot, which a request begins, is not that one. */
	fail_guest();
	vm_put(&v, STATE_RUNNING);
	check_step(vm_act(&v, EVENT_STOP), "acpi", 7000);
	check_step(vm_act(&v, EVENT_STOP), "poweroff", 0);
	vm_close(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STOP(test_ladder),
		STOP(test_unfit),
		STOP(test_first_request_after_unfit),
		STOP(test_hurry),
		STOP(test_stop_begins_anew),
		STOP(test_kill),
		STOP(test_reboot),
		STOP(test_ladder_of_a_kill),
		STOP(test_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
