/* The library's public functions in a program with threads: which of them must outlive a VM. */
#include "life.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

/* Starts the VM; a thread of its own, which ends. */
static void *start(void *vm)
{
	assert_int_equal(vmrun_start(vm), 0);
	return NULL;
}

/* Dispatches until the hypervisor runs; a thread of its own, which ends. */
static void *spawn(void *vm)
{
	const struct vmrun_event *e = NULL;

	while (e == NULL || e->type != VMRUN_SPAWNED) {
		if ((e = vmrun_next_event(vm)) == NULL)
			life_step(vm, 10000);
	}
	return NULL;
}

static void run_thread(void *(*work)(void *), struct vmrun *vm)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, work, vm), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_thread_that_started(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	life_script("exit 1");
	run_thread(start, vm);
	(void)life_end(vm);
	assert_int_equal(vmrun_get_state(vm)->cause_code, VMRUN_CAUSE_POWEROFF);
	vmrun_close(vm);
}

/* Linux ends a hypervisor with the thread that has started it; other systems with the process. */
static void test_thread_that_dispatched(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	life_script("wait"); /* which SIGTERM ends, unlike "hang" */
	run_thread(start, vm);
	run_thread(spawn, vm);
#ifdef __linux__
	(void)life_end(vm);
	assert_int_equal(vmrun_get_state(vm)->cause_code, VMRUN_CAUSE_KILLED);
#endif
	vmrun_close(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_thread_that_started, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_thread_that_dispatched, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
