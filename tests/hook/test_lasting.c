/* Lasting calls: what they demand of the machine, how long they go on, and how they end. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"
#include "platform/clock.h"

static struct vm v = VM;

/* Starts a VM whose guest hangs until it is killed; the ladder kills at once. */
static void start(const char *more)
{
	MEM_AUTO char *text = mem_format("vm.stop = { { ['do'] = 'kill', wait = 9 } }\n%s", more);

	life_script("hang\nhang\nhang\n");
	vm_start(&v, text);
}

static void started(const char *body)
{
	MEM_AUTO char *text = mem_format("function vm.on_started(boot) %s end", body);

	start(text);
}

/* Runs to the end, checks the exit status, and keeps what was told. */
static void end(int status)
{
	struct vmrun_event e;
	int64_t until_ms = clock_ms() + 20000;

	while (!machine_ended(v.machine)) {
		if (clock_ms() >= until_ms)
			fail_msg("it is %s: %s", machine_states[v.machine->present.state].name,
			    vm_told(&v));
		life_step(v.handle, 1000);
		(void)vm_told(&v);
	}
	while (vmrun_next_event(v.handle, &e))
		;
	assert_int_equal(vmrun_status(v.handle), status);
}

static void test_stop(void **state)
{
	(void)state;
	started("print('asks', vmrun.request('stop', { status = 7 })) print(vmrun.sleep(600))");
	end(7);
	vm_check_told(&v, "asks\ttrue");
	vm_check_told(&v, "nil\tgone");
	/* One request is one step of the ladder. */
	assert_int_equal(v.machine->requests.stop_step, 1);
	assert_string_equal(cause_name(v.machine->history.outcome.cause), "stopped");
	vm_close(&v);
}

static void test_stop_without_status(void **state)
{
	(void)state;
	started("vmrun.request 'stop'");
	end(0);
	vm_close(&v);
}

static void test_kill(void **state)
{
	(void)state;
	started("print('asks', vmrun.request 'kill')");
	end(0);
	vm_check_told(&v, "asks\ttrue");
	assert_string_equal(cause_name(v.machine->history.outcome.cause), "stopped");
	vm_close(&v);
}

static void test_reboot(void **state)
{
	(void)state;
	started("print(boot.boots, boot.target)"
		"if boot.boots == 2 then vmrun.request('stop', { status = 3 }) return end "
		"print('asks', vmrun.request('reboot', { target = 'other' }))");
	end(3);
	vm_check_told(&v, "asks\ttrue");
	vm_check_told(&v, "2\tother");
	vm_close(&v);
}

static void test_next_and_reset(void **state)
{
	(void)state;
	started("print(boot.boots, boot.target)"
		"if boot.boots == 2 then vmrun.request 'stop' return end "
		"print('asks', vmrun.request('next', { target = 'other' }))"
		"print(vmrun.request 'reset')"
		"vmrun.request 'reboot'");
	end(0);
	vm_check_told(&v, "asks\ttrue");
	vm_check_told(&v, "nil\tthe VM is not given up");
	vm_check_told(&v, "2\tother");
	vm_close(&v);
}

#define LASTING(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LASTING(test_stop),
		LASTING(test_stop_without_status),
		LASTING(test_kill),
		LASTING(test_reboot),
		LASTING(test_next_and_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
