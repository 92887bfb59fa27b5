/* The library's public functions: requests to a running VM other than a stop, and its state. */
#include "life.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define TARGETS ",\"targets\":{\"a\":{},\"b\":{}}"

static void expect_state(struct vmrun *vm, const char *state, const char *target)
{
	struct vmrun_state s;

	s = *vmrun_get_state(vm);
	assert_string_equal(s.state, state);
	assert_string_equal(s.target, target);
	assert_int_equal(
	    s.pid != 0, strcmp(state, "running") == 0 || strcmp(state, "stopping") == 0);
}

static void test_reboot(void **state)
{
	struct vmrun *vm =
	    life_open("demo", TARGETS ",\"restart_limit\":{\"count\":1,\"within\":99}");

	(void)state;
	assert_int_equal(vmrun_reboot(vm, NULL), 64);
	assert_string_equal(vmrun_refusal(vm), "the VM is not started");
	assert_int_equal(vmrun_dispatch(vm), 64);
	assert_string_equal(vmrun_refusal(vm), "the VM is not started");
	life_script("acpi on ready one wait exit 1\n"
		    "acpi on ready two wait exit 1\n"
		    "acpi on ready three wait exit 1\n"
		    "exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "one");
	expect_state(vm, "running", "default");
	assert_int_equal(vmrun_check(vm), 64);
	assert_string_equal(vmrun_refusal(vm),
	    "the VM was started or simulated before: a run reports its checks as events");
	assert_int_equal(vmrun_problem_count(vm), 0);
	assert_int_equal(vmrun_reboot(vm, "nowhere"), 65);
	assert_string_equal(vmrun_refusal(vm), "unknown target \"nowhere\" (known: a, b, default)");
	assert_int_equal(vmrun_dispatch(vm), 0);
	assert_null(vmrun_refusal(vm));
	assert_int_equal(vmrun_reboot(vm, "a"), 0);
	assert_null(vmrun_refusal(vm));
	expect_state(vm, "stopping", "default");
	life_wait_for(vm, "two");
	expect_state(vm, "running", "a");
	/* Requested reboots count for no limit and do not involve the policy, so two more work. */
	assert_int_equal(vmrun_reboot(vm, NULL), 0);
	life_wait_for(vm, "three");
	expect_state(vm, "running", "a");
	assert_int_equal(vmrun_reboot(vm, "default"), 0);
	assert_string_equal(strstr(life_end(vm), "spawned:default exit:poweroff"),
	    "spawned:default exit:poweroff cleaned:default decided:stop ended:poweroff");
	vmrun_close(vm);
}

/* A stop overrides an earlier reboot request; no boot follows. */
static void test_stop_after_reboot(void **state)
{
	struct vmrun *vm = life_open("demo", TARGETS);

	(void)state;
	life_script("acpi on ready up waitfile go exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	assert_int_equal(vmrun_reboot(vm, "a"), 0);
	vmrun_stop(vm);
	assert_int_equal(vmrun_reboot(vm, "a"), 69);
	assert_string_equal(vmrun_refusal(vm), "the VM is being stopped");
	assert_non_null(
	    strstr(life_end(vm), "exit:stopped cleaned:default decided:stop ended:stopped"));
	vmrun_close(vm);
}

static void test_no_reboot(void **state)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;

	(void)state;
	options.no_reboot = true;
	vm = life_open_with(&options, "demo", TARGETS);
	life_script("ready up waitfile go exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	assert_int_equal(vmrun_reboot(vm, NULL), 69);
	assert_string_equal(vmrun_refusal(vm), "--no-reboot forbids further boots");
	vmrun_kill(vm);
	assert_non_null(strstr(life_end(vm), "stopping:kill exit:stopped"));
	vmrun_close(vm);
}

/* The next target applies to one boot, whatever decides on that boot. */
static void test_next(void **state)
{
	struct vmrun *vm = life_open("demo", TARGETS ",\"backoff\":false,\"restart_limit\":false");

	(void)state;
	life_script("acpi on ready one wait exit 1\nexit 0\nexit 1");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "one");
	assert_int_equal(vmrun_next(vm, "c"), 65);
	assert_int_equal(vmrun_next(vm, "b"), 0);
	(void)life_events(vm);
	assert_int_equal(vmrun_reboot(vm, NULL), 0);
	assert_non_null(
	    strstr(life_end(vm), "spawned:b exit:reboot cleaned:b decided:boot starting:b"));
	vmrun_close(vm);
}

/* A reboot request ends the delay of a boot, and may change its target. */
static void test_backoff(void **state)
{
	struct vmrun *vm = life_open("demo",
	    TARGETS
	    ",\"reboot_on\":[\"triple_fault\"],\"backoff\":{\"initial\":3600,\"max\":3600}");
	struct vmrun_state s;

	(void)state;
	life_script("exit 3\nexit 1");
	assert_int_equal(vmrun_start(vm), 0);
	for (s = *vmrun_get_state(vm); strcmp(s.state, "backoff") != 0; s = *vmrun_get_state(vm))
		life_step(vm, 10000);
	assert_string_equal(s.cause, "triple_fault");
	assert_string_equal(s.next_target, "default");
	assert_in_range(s.wait_ms, 3000000, 3600000);
	assert_int_equal(s.boots, 1);
	assert_int_equal(vmrun_next(vm, "b"), 0);
	s = *vmrun_get_state(vm);
	assert_string_equal(s.next_target, "b");
	assert_int_equal(vmrun_reboot(vm, "a"), 0);
	assert_non_null(strstr(life_end(vm), "spawned:a exit:poweroff"));
	vmrun_close(vm);
}

static void test_kill(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	vmrun_kill(vm); /* has no effect while nothing runs */
	life_script("ready up hang");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	vmrun_kill(vm);
	assert_non_null(strstr(
	    life_end(vm), "stopping:kill exit:stopped cleaned:default decided:stop ended:stopped"));
	vmrun_close(vm);
}

static void write_spec(const char *text)
{
	FILE *f = fopen("vm.json", "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

#define SPEC(more)                                                          \
	"{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"rom\"," \
	"\"bhyve\":{\"release\":14,\"arch\":\"amd64\"}" more "}"

/* A reload applies to the next boot; a failed one changes nothing. */
static void test_reload(void **state)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;

	(void)state;
	write_spec(SPEC(",\"next_target\":\"a\",\"targets\":{\"a\":{}}"));
	options.file = "vm.json";
	vm = life_open_with(&options, "demo", "");
	assert_int_equal(vmrun_reload(vm), 64);
	life_script("acpi on ready one wait exit 0\nacpi on ready two wait exit 0\nexit 1");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "one");
	(void)life_events(vm);
	write_spec("{ \"name\": \"demo\", \"cpus\": 1 }");
	assert_int_equal(vmrun_reload(vm), 65);
	assert_non_null(strstr(life_events(vm), "did you mean \"cpu\"?"));
	assert_non_null(strstr(vmrun_refusal(vm), "did you mean \"cpu\"?"));
	write_spec("{\"name\":\"other\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"rom\"}");
	assert_int_equal(vmrun_reload(vm), 65);
	assert_non_null(strstr(life_events(vm), "the name is \"other\" now"));
	assert_int_equal(remove("vm.json"), 0);
	assert_int_equal(vmrun_reload(vm), 66);
	assert_int_equal(vmrun_next(vm, "b"), 65);
	assert_int_equal(vmrun_reboot(vm, NULL), 0);
	life_wait_for(vm, "two");
	expect_state(vm, "running", "a");
	write_spec(SPEC(",\"targets\":{\"b\":{\"cpu\":2}}"));
	assert_int_equal(vmrun_reload(vm), 65);
	assert_non_null(strstr(life_events(vm),
	    "reloaded:unknown target \"a\" in the new spec, but this is the target of the present "
	    "boot"));
	assert_int_equal(vmrun_next(vm, "b"), 65);
	write_spec(SPEC(",\"targets\":{\"a\":{},\"b\":{\"cpu\":2}}"));
	assert_int_equal(vmrun_reload(vm), 0);
	assert_int_equal(vmrun_reload(vm), 0); /* the last one counts */
	assert_null(vmrun_refusal(vm));
	assert_int_equal(vmrun_reboot(vm, "b"), 0);
	assert_non_null(strstr(life_end(vm), "starting:b checked:b spawned:b exit:poweroff"));
	assert_int_equal(vmrun_reload(vm), 64);
	assert_string_equal(vmrun_refusal(vm), "the VM has ended");
	vmrun_close(vm);
}

static void test_reload_without_a_file(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	life_script("acpi on ready up wait exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	assert_int_equal(vmrun_reload(vm), 64);
	vmrun_stop(vm);
	assert_non_null(strstr(life_end(vm), "reloaded:the spec came from no file"));
	vmrun_close(vm);
}

/* The state has the step of the ladder, and whether a boot follows. */
static void test_state_of_a_stop(void **state)
{
	struct vmrun *vm = life_open("demo", TARGETS ",\"stop\":[{\"do\":\"acpi\",\"wait\":3600}]");
	struct vmrun_state s;

	(void)state;
	vmrun_reopen_logs(vm); /* has no effect while nothing runs */
	vmrun_restore_terminal(vm);
	life_script("acpi on ready up deaf\nacpi on ready two deaf");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	s = *vmrun_get_state(vm);
	assert_null(s.stop_action);
	assert_int_equal(vmrun_reboot(vm, NULL), 0);
	s = *vmrun_get_state(vm);
	assert_int_equal(s.stop_step, 1);
	assert_string_equal(s.stop_action, "acpi");
	assert_false(s.stop_requested);
	assert_int_equal(vmrun_reboot(vm, NULL), 0); /* the next step, past the end: a kill */
	s = *vmrun_get_state(vm);
	assert_int_equal(s.stop_step, 2);
	assert_string_equal(s.stop_action, "kill");
	life_wait_for(vm, "two");
	vmrun_stop(vm);
	s = *vmrun_get_state(vm);
	assert_string_equal(s.stop_action, "acpi");
	assert_true(s.stop_requested);
	vmrun_kill(vm);
	assert_non_null(strstr(life_end(vm), "exit:stopped"));
	s = *vmrun_get_state(vm);
	assert_null(s.stop_action);
	vmrun_close(vm);
}

/* Closing the handle ends and reaps the command that a hook waits for. */
static void test_close_while_a_hook_waits(void **state)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;
	FILE *f = fopen("vm.lua", "w");

	(void)state;
	assert_non_null(f);
	(void)fputs(
	    "return { name = 'demo', cpu = 1, mem = '64M', bootrom = 'rom',\n"
	    "on_exit = function() vmrun.exec { 'sh', '-c', ': >waits; exec sleep 1000' } end }\n",
	    f);
	assert_int_equal(fclose(f), 0);
	options.file = "vm.lua";
	vm = life_open_with(&options, "demo", "");
	life_script("exit 0");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "waits");
	vmrun_close(vm);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reboot, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_stop_after_reboot, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_no_reboot, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_next, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_backoff, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_kill, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_state_of_a_stop, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_reload, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_reload_without_a_file, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_close_while_a_hook_waits, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
