/* The library in a program with threads: a VM ends with the process, not with a thread. */
#include "life.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts the VM; runs in a thread of its own, which ends. */
static void *start(void *vm)
{
	assert_int_equal(vmrun_start(vm), 0);
	return NULL;
}

/* Dispatches until the hypervisor runs; runs in a thread of its own, which ends. */
static void *spawn(void *vm)
{
	const struct vmrun_event *e = NULL;

	while (e == NULL || e->type != VMRUN_SPAWNED) {
		if ((e = vmrun_next_event(vm)) == NULL)
			life_step(vm, 10000);
	}
	return NULL;
}

/* Runs the work in a thread and waits for the end of the thread. */
static void run_thread(void *(*work)(void *), struct vmrun *vm)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, work, vm), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_threads_that_have_ended(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	life_script("ready up waitfile done exit 1");
	run_thread(start, vm);
	run_thread(spawn, vm);
	life_wait_for(vm, "up");
	assert_int_equal(mkdir("done", 0700), 0);
	(void)life_end(vm);
	assert_int_equal(vmrun_get_state(vm)->cause_code, VMRUN_CAUSE_POWEROFF);
	vmrun_close(vm);
}

/* Starts a VM from threads that end, and dies. */
static void die_with_vm(void)
{
	struct vmrun *vm = life_open("demo", "");

	(void)alarm(60);
	run_thread(start, vm);
	run_thread(spawn, vm);
	life_wait_for(vm, "up");
	(void)kill(getpid(), SIGKILL);
}

static void test_process_that_was_killed(void **state)
{
	struct vmrun *vm;
	pid_t pid;
	int status;

	(void)state;
	life_script("ready up wait\nexit 1");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		die_with_vm();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* A start is refused while the hypervisor of the process that died runs. */
	vm = life_open("demo", "");
	(void)life_run(vm);
	assert_int_equal(vmrun_get_state(vm)->cause_code, VMRUN_CAUSE_POWEROFF);
	vmrun_close(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_threads_that_have_ended, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_process_that_was_killed, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
