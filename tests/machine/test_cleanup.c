/* The cleanup after an exit: each result of the destroy command, and the time limits. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"
#include "platform/clock.h"

#define LIMIT_MS 10000
#define LOOK_MS 20
#define NODE "state/vmm/walk" /* stands for /dev/vmm/walk */
#define DESTROY "`bhyvectl --vm=walk --destroy` "

static struct vm v = VM;

/* Opens a VM that has exited; it is still in the kernel if `left`. */
static void open_exited(bool left)
{
	FILE *f;

	vm_prepare(&v, "");
	vm_put(&v, STATE_CLEANING);
	v.machine->history.outcome.cause = CAUSE_REBOOT;
	v.machine->run.cleanup_until_ms = clock_ms() + LIMIT_MS;
	(void)mkdir("state/vmm", 0700);
	if (!left)
		return;
	f = fopen(NODE, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
}

/* Fails unless the cleanup reports this text; NULL: none. */
static void check_cleaned(const char *text)
{
	const struct vmrun_event *e = vm_event(&v, VMRUN_CLEANED);

	assert_non_null(e);
	assert_string_equal(e->target, "default");
	if (text == NULL)
		assert_null(e->text);
	else
		assert_string_equal(e->text, text);
	assert_int_equal(v.machine->host.cleanup_failed, text != NULL);
}

static void close_exited(void)
{
	(void)unlink(NODE);
	vm_close(&v);
}

static struct next ended_with(int status)
{
	v.machine->helper.status = status;
	return vm_act(&v, EVENT_HELPER);
}

static void test_simulated(void **state)
{
	(void)state;
	open_exited(true);
	vm_check_next(machine_states[STATE_CLEANING].enter(v.machine), STATE_DECIDING, -1);
	assert_int_equal(v.machine->helper.job.pid, 0);
	check_cleaned(NULL);
	close_exited();
}

/* Enters the state as a real run does: with a command if the VM is left. */
static void test_begin(void **state)
{
	(void)state;
	for (int left = 0; left < 2; left++) {
		struct simulation *simulation;

		open_exited(left == 1);
		simulation = v.machine->options.simulation;
		v.machine->options.simulation = NULL;
		vm_check_next(machine_states[STATE_CLEANING].enter(v.machine),
		    left ? STATE_CLEANING : STATE_DECIDING, left ? LIMIT_MS : -1);
		assert_int_equal(v.machine->helper.job.pid != 0, left);
		v.machine->options.simulation = simulation;
		close_exited();
	}
}

static void test_command_that_cannot_start(void **state)
{
	const char *path = getenv("PATH");
	MEM_AUTO char *before = mem_copy(path == NULL ? "" : path);
	struct simulation *simulation;

	(void)state;
	open_exited(true);
	simulation = v.machine->options.simulation;
	v.machine->options.simulation = NULL;
	assert_int_equal(setenv("PATH", "/no/such/directory", 1), 0);
	vm_check_next(machine_states[STATE_CLEANING].enter(v.machine), STATE_DECIDING, -1);
	assert_int_equal(setenv("PATH", before, 1), 0);
	check_cleaned(DESTROY "could not be started: the VM and its memory are still there");
	v.machine->options.simulation = simulation;
	close_exited();
}

static void test_gone(void **state)
{
	(void)state;
	for (int status = 0; status < 2; status++) {
		/* The VM is gone, so the status of the command does not matter. */
		open_exited(false);
		vm_check_next(ended_with(status), STATE_DECIDING, -1);
		check_cleaned(NULL);
		close_exited();
	}
}

static void check_left(int status, const char *text)
{
	open_exited(true);
	vm_check_next(ended_with(status), STATE_DECIDING, -1);
	check_cleaned(text);
	close_exited();
}

static void test_left(void **state)
{
	(void)state;
	check_left(3, DESTROY "ended with status 3: the VM and its memory are still there");
	check_left(-1, DESTROY "was killed: the VM and its memory are still there");
}

static void test_looks(void **state)
{
	(void)state;
	open_exited(true);
	vm_check_next(ended_with(0), STATE_CLEANING, LOOK_MS);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_CLEANING, LOOK_MS);
	assert_null(vm_event(&v, VMRUN_CLEANED));
	v.machine->run.cleanup_until_ms = clock_ms();
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_DECIDING, -1);
	check_cleaned(DESTROY "had no effect: the VM and its memory are still there");
	close_exited();
	/* The kernel frees the VM between two checks. */
	open_exited(true);
	vm_check_next(ended_with(0), STATE_CLEANING, LOOK_MS);
	assert_int_equal(unlink(NODE), 0);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_DECIDING, -1);
	check_cleaned(NULL);
	close_exited();
}

static void test_hanging_command(void **state)
{
	struct words command = { 0 };
	pid_t pid;

	(void)state;
	open_exited(true);
	words_add(&command, "sleep");
	words_add(&command, "600");
	assert_true(machine_start_helper(v.machine, &command, HELPER_SILENT));
	words_free(&command);
	pid = v.machine->helper.job.pid;
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_CLEANING, MAX_KILL_MS);
	assert_true(v.machine->helper.killed);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_DECIDING, -1);
	check_cleaned(DESTROY "does not end: the VM and its memory are still there");
	assert_int_equal(v.machine->helper.job.pid, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close_exited();
}

static void test_panic(void **state)
{
	(void)state;
	for (int panic = 0; panic < 2; panic++) {
		v.options.panic_on_failed_cleanup = panic == 1;
		open_exited(true);
		v.machine->end.status = STATUS_OK;
		vm_check_next(ended_with(1), panic ? STATE_ENDING : STATE_DECIDING, -1);
		assert_int_equal(v.machine->end.status, panic ? STATUS_OS : STATUS_OK);
		close_exited();
	}
	/* A cleanup that succeeds does not end the run. */
	v.options.panic_on_failed_cleanup = true;
	open_exited(false);
	vm_check_next(ended_with(0), STATE_DECIDING, -1);
	close_exited();
}

static void test_requests(void **state)
{
	(void)state;
	open_exited(true);
	v.machine->requests.reboot_to = strdup("other");
	vm_check_next(vm_act(&v, EVENT_REBOOT), STATES, -1);
	assert_string_equal(v.machine->requests.reboot_to, "other");
	vm_check_next(vm_act(&v, EVENT_STOP), STATES, -1);
	assert_true(v.machine->requests.stop);
	assert_null(v.machine->requests.reboot_to);
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_STOPPED);
	close_exited();
}

#define CLEANUP(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEANUP(test_simulated),
		CLEANUP(test_begin),
		CLEANUP(test_command_that_cannot_start),
		CLEANUP(test_gone),
		CLEANUP(test_left),
		CLEANUP(test_looks),
		CLEANUP(test_hanging_command),
		CLEANUP(test_panic),
		CLEANUP(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
