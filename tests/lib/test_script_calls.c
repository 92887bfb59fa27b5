/* Functions of hooks that use the handle: vmrun.state, vmrun.event() and vmrun.firmware(). */
#include "life.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE "keep/demo/state.json"

/* Opens a spec in Lua whose on_exit hook has this body. */
static struct vmrun *open_lua(const char *body, bool dry_run)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	const struct vmrun_problem *p;
	struct vmrun *vm;
	FILE *f = fopen("vm.lua", "w");

	assert_non_null(f);
	(void)fprintf(f,
	    "return { name = 'demo', cpu = 1, mem = '64M', bootrom = 'rom',\n"
	    "bhyve = { release = 14, arch = 'amd64' }, backoff = false, restart_limit = false,\n"
	    "on_exit = function(exit)\n%s\nend }\n",
	    body);
	assert_int_equal(fclose(f), 0);
	options.file = "vm.lua";
	options.hypervisor = "bhyve";
	options.bhyve = FAKEBHYVE;
	options.run_dir = "run";
	options.state_dir = "keep";
	options.dry_run = dry_run;
	if (vmrun_open(&vm, &options) != 0) {
		p = vmrun_problem(vm, 0);
		fail_msg("%s: %s", p->place, p->text);
	}
	return vm;
}

static void test_state_is_saved(void **state)
{
	struct vmrun *vm = open_lua("vmrun.state.count = (vmrun.state.count or 0) + 1", false);
	char text[64] = "";
	FILE *f;

	(void)state;
	life_script("exit 1\nexit 1");
	(void)life_run(vm);
	vmrun_close(vm);
	vm = open_lua("vmrun.state.count = (vmrun.state.count or 0) + 1", false);
	(void)life_run(vm);
	vmrun_close(vm);
	f = fopen(STATE, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	(void)fclose(f);
	assert_non_null(strstr(text, "\"count\": 2"));
}

static void test_simulation_saves_nothing(void **state)
{
	struct vmrun *vm = open_lua("vmrun.state.count = 1", true);

	(void)state;
	assert_int_equal(vmrun_simulate(vm, "poweroff"), 0);
	vmrun_close(vm);
	assert_false(life_file_exists(STATE));
}

/* Runs three boots whose hook leaves the same state, and returns the number of failures to save it.
 * `mend` removes the obstacle after a failure. */
static int count_failures(bool mend)
{
	struct vmrun *vm = open_lua("vmrun.state.target = exit.target", false);
	const struct vmrun_event *e;
	int failures = 0;

	life_script("exit 0\nexit 0\nexit 1");
	assert_int_equal(mkdir("keep", 0700), 0);
	assert_int_equal(mkdir("keep/demo", 0700), 0);
	assert_int_equal(mkdir(STATE ".new", 0700), 0);
	assert_int_equal(vmrun_start(vm), 0);
	while (!vmrun_ended(vm)) {
		life_step(vm, 100);
		while ((e = vmrun_next_event(vm)) != NULL) {
			if (e->type != VMRUN_HOOK_FAILED)
				continue;
			failures++;
			assert_non_null(strstr(e->text, "vmrun.state was not saved"));
			if (mend)
				assert_int_equal(rmdir(STATE ".new"), 0);
		}
	}
	vmrun_close(vm);
	return failures;
}

static void test_unsaved_state_is_reported_once(void **state)
{
	(void)state;
	assert_int_equal(count_failures(false), 1);
	assert_false(life_file_exists(STATE));
}

static void test_unsaved_state_is_saved_later(void **state)
{
	(void)state;
	assert_int_equal(count_failures(true), 1);
	assert_true(life_file_exists(STATE));
}

static void test_event(void **state)
{
	struct vmrun *vm = open_lua("vmrun.event { answer = 42 }", false);
	const struct vmrun_event *e;
	bool found = false;

	(void)state;
	life_script("exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	while (!vmrun_ended(vm))
		life_step(vm, 100);
	while ((e = vmrun_next_event(vm)) != NULL) {
		if (e->type != VMRUN_HOOK_EVENT)
			continue;
		found = true;
		assert_string_equal(e->text, "{\"answer\":42}");
		assert_string_equal(e->by, "on_exit of vm.lua");
		assert_string_equal(e->vm, "demo");
	}
	assert_true(found);
	vmrun_close(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_state_is_saved, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_simulation_saves_nothing, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_unsaved_state_is_reported_once, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_unsaved_state_is_saved_later, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_event, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
