/* Lasting calls: what they demand of the machine, how long they go on, and how they end. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
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
	int64_t until_ms = clock_ms() + 60000;

	while (!machine_ended(v.machine)) {
		if (clock_ms() >= until_ms)
			fail_msg("it is %s: %s", machine_states[v.machine->present.state].name,
			    vm_told(&v));
		life_step(v.handle, 1000);
		(void)vm_told(&v);
	}
	while (vmrun_next_event(v.handle) != NULL)
		;
	assert_int_equal(vmrun_status(v.handle), status);
}

static bool guest_runs(const struct machine *m)
{
	return m->run.child.job.pid != 0;
}

/* While the guest runs, the functions are listed that its end will call. */
static void test_exit_is_foreseen(void **state)
{
	(void)state;
	start("function vm.on_exit() return vmrun.stop(3) end");
	vm_await(&v, guest_runs);
	assert_ptr_equal(v.machine->calls.foreseen.hook, &hooks_exit);
	machine_stop(v.machine);
	end(0);
	vm_close(&v);
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

/* A stop after the boot's end: on_exit is asked all the same, then vmrun stops. */
static void test_stop_after_the_end(void **state)
{
	static const char *const order[] = { "log asks\ttrue", "log goes on", "log asked\tpoweroff",
		"decided" };
	const char *told;

	(void)state;
	life_script("exit 1\n");
	vm_start(&v,
	    "function vm.on_started() vmrun.sleep(600)"
	    "  print('asks', vmrun.request('stop', { status = 9 })) print 'goes on' end\n"
	    "function vm.on_exit(e) print('asked', e.cause) return true end");
	end(9);
	told = vm_told(&v);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		told = strstr(told, order[i]);
		if (told == NULL)
			fail_msg("%s is not told, or not in its order: %s", order[i], vm_told(&v));
	}
	vm_check_told(&v, "cleaned"); /* meanwhile: a hook is left when it takes long */
	vm_check_told(&v, "ended stopped");
	assert_int_equal(v.machine->history.boots, 1);
	vm_close(&v);
}

/* on_exit is asked once, also when it waits and lasting hooks ended before the cleanup did. */
static void test_asked_once(void **state)
{
	const char *asked;

	(void)state;
	/* The cleanup of a simulation has no command to wait for. */
	vm_simulate(&v,
	    "function vm.on_started() vmrun.sleep(600) end\n"
	    "function vm.on_exit() print 'asked' vmrun.sleep(1) print 'goes on' end",
	    "poweroff@7");
	asked = strstr(vm_told(&v), "log asked");
	assert_non_null(asked);
	assert_null(strstr(asked + 1, "log asked"));
	vm_check_told(&v, "goes on");
	vm_close(&v);
}

/* Each hook of a boot goes on to its end, then vmrun stops. */
static void test_stop_in_each_hook(void **state)
{
	static const char *const hooks[] = { "on_prepare", "on_start", "on_exit", "on_end" };

	(void)state;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		MEM_AUTO char *more = mem_format(
		    "function vm.%s() print('asks', vmrun.request('stop', { status = 4 }))"
		    "  vmrun.sleep(0.001) print 'goes on' end\n"
		    "%s",
		    hooks[i], i == 2 ? "vm.next_target = 'other'" : "");

		life_script("exit 1\n");
		vm_start(&v, more);
		end(4);
		vm_check_told(&v, "asks\ttrue");
		vm_check_told(&v, "goes on");
		vm_check_told(&v, i == 3 ? "ended poweroff" : "ended stopped");
		assert_int_equal(v.machine->history.boots, i < 2 ? 0 : 1);
		vm_close(&v);
	}
}

/* A reboot request does not overrule the stop of a hook that is still running. */
static void test_reboot_after_a_stop(void **state)
{
	ERROR_AUTO struct error err = { 0 };

	(void)state;
	life_script("exit 1\n");
	vm_start(
	    &v, "function vm.on_exit() vmrun.request 'stop' vmrun.exec { 'sleep', '600' } end");
	vm_reach(&v, STATE_DECIDING);
	while (!v.machine->requests.stop_after_hook)
		life_step(v.handle, 1000);
	assert_int_equal(machine_reboot(v.machine, NULL, &err), -1);
	assert_string_equal(err.text, "the VM is being stopped");
	machine_stop(v.machine);
	end(0);
	vm_close(&v);
}

/* vmrun waits for a command that on_end starts, also when on_end asks for a stop. */
static void test_stop_at_the_end(void **state)
{
	(void)state;
	life_script("exit 1\n");
	vm_start(&v,
	    "function vm.on_end()"
	    "  vmrun.exec { 'sh', '-c', 'sleep 0.2; echo >made', background = true }"
	    "  vmrun.request('stop', { status = 6 }) end");
	end(6);
	assert_true(life_file_exists("made"));
	vm_close(&v);
}

/* What ignores that its boot has ended is given up long before its hook_timeout. */
static void test_ignores_the_end(void **state)
{
	static const char *const loops[] = { "vmrun.sleep(9)", "vmrun.exec { 'true' }",
		"vmrun.send 'x'", "vmrun.expect 'x'",
		"vmrun.request('next', { target = 'other' })" };

	(void)state;
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
		MEM_AUTO char *more =
		    mem_format("vm.hook_timeout = 600 vm.com1 = 'console'\n"
			       "function vm.on_started() vmrun.sleep(600)"
			       "  while true do %s end end\n"
			       "function vm.on_exit() print 'asked' return false end",
			loops[i]);

		life_script("exit 1\n");
		vm_start(&v, more);
		end(0);
		vm_check_told(&v, "still runs after the end of its boot");
		vm_check_told(&v, "log asked");
		vm_close(&v);
	}
}

/* Reads what was typed on the console, which the guest does not. */
static void guest_reads(void)
{
	int fd = v.machine->console.guest_fd;
	char bytes[4096];

	if (fd < 0)
		return;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)!read(fd, bytes, sizeof(bytes));
}

/* A hook that asks for what needs no time has one hook_timeout, and does not block the loop. */
static void test_no_real_wait(void **state)
{
	static const char *const loops[] = { "vmrun.sleep(0)",
		"vmrun.request('next', { target = 'other' })",
		"vmrun.exec { 'true', background = true, timeout = 0.001 }", "vmrun.send 'x'" };

	(void)state;
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
		MEM_AUTO char *more =
		    mem_format("vm.hook_timeout = 0.02 vm.com1 = 'console'\n"
			       "function vm.on_started() while true do %s end end",
			loops[i]);

		start(more);
		while (strstr(vm_told(&v), "hook_failed") == NULL) {
			clock_t before = clock();

			/* The time of the process: a busy host may not let it run for seconds. */
			life_step(v.handle, 1000);
			assert_true(clock() - before < 3 * CLOCKS_PER_SEC / 2);
			guest_reads();
		}
		machine_kill(v.machine);
		end(0);
		vm_close(&v);
	}
}

#define LASTING(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LASTING(test_exit_is_foreseen),
		LASTING(test_stop),
		LASTING(test_stop_without_status),
		LASTING(test_kill),
		LASTING(test_reboot),
		LASTING(test_next_and_reset),
		LASTING(test_stop_after_the_end),
		LASTING(test_asked_once),
		LASTING(test_stop_in_each_hook),
		LASTING(test_reboot_after_a_stop),
		LASTING(test_stop_at_the_end),
		LASTING(test_ignores_the_end),
		LASTING(test_no_real_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
