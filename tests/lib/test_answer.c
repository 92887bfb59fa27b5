/*
 * vmrun kills a qemu that does not answer in time, not counting time in which vmrun itself did not
 * run.  The clock of vmrun is real time plus an offset.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "event/event.h"
#include "life.h"

#define MAX_ANSWER_MS 10000 /* as in machine/machine_inside.h */

static int64_t offset_ms, offset_once_up_ms;

/* The linker sets these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);
struct event_record *__real_event_add(struct event_queue *q, enum vmrun_event_type type);
struct event_record *__wrap_event_add(struct event_queue *q, enum vmrun_event_type type);

int64_t __wrap_clock_ms(void)
{
	return __real_clock_ms() + offset_ms;
}

/* Moves the clock when the hypervisor has started, after the deadline of its answer was set. */
struct event_record *__wrap_event_add(struct event_queue *q, enum vmrun_event_type type)
{
	if (type == VMRUN_SPAWNED)
		offset_ms = offset_once_up_ms;
	return __real_event_add(q, type);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static struct vmrun *start(int64_t late_ms)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	FILE *f = fopen("mute", "w");
	struct vmrun *vm;

	assert_non_null(f);
	assert_true(fputs("#!/bin/sh\nexec sleep 1000\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod("mute", 0755), 0);
	options.text = "{\"name\":\"mute\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"rom\"}";
	options.length = strlen(options.text);
	options.hypervisor = "qemu";
	options.qemu = "./mute";
	options.run_dir = "run";
	options.state_dir = "keep";
	options.no_checks = true;
	offset_ms = -MAX_ANSWER_MS;
	offset_once_up_ms = late_ms;
	assert_int_equal(vmrun_open(&vm, &options), 0);
	assert_int_equal(vmrun_start(vm), 0);
	return vm;
}

static void test_killed_when_its_time_is_over(void **state)
{
	struct vmrun *vm = start(0);
	const char *events = life_end(vm);

	(void)state;
	assert_non_null(
	    strstr(events, "warning:the hypervisor does not answer, so vmrun killed it"));
	assert_non_null(strstr(events, "exit:start_failed"));
	assert_int_equal(vmrun_status(vm), 4);
	vmrun_close(vm);
}

static void test_not_for_time_that_vmrun_slept(void **state)
{
	struct vmrun *vm = start(2000);
	struct vmrun_state now;

	(void)state;
	/* Waits until the timer, which was due before the event, has fired. */
	for (int i = 0; i < 100; i++)
		life_step(vm, 2);
	assert_null(strstr(life_events(vm), "does not answer"));
	now = *vmrun_get_state(vm);
	assert_string_equal(now.state, "running");
	vmrun_kill(vm);
	assert_non_null(strstr(life_end(vm), "ended:stopped"));
	vmrun_close(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_killed_when_its_time_is_over, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_not_for_time_that_vmrun_slept, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
