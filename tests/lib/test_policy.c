/* The library's public functions: the report of the policy, giving up, and a reset. */
#include "life.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define GIVES_UP                                            \
	",\"restart_limit\":{\"count\":1,\"within\":3600}," \
	"\"on\":{\"given_up\":\"wait\"}"

static void test_policy_events(void **state)
{
	static const char *const causes[] = { "reboot", "poweroff", "halt", "triple_fault", "error",
		"killed", "start_failed", "check_failed", "given_up" };
	struct vmrun *vm = life_open("demo",
	    ",\"backoff\":{\"initial\":2},\"on\":{\"halt\":{\"boot\":\"x\"},\"given_up\":\"wait\"},"
	    "\"targets\":{\"x\":{}}");
	const struct vmrun_event *e;
	size_t n = 0;

	(void)state;
	life_script("exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	while (n < sizeof(causes) / sizeof(causes[0])) {
		if ((e = vmrun_next_event(vm)) == NULL) {
			life_step(vm, 10000);
			continue;
		}
		assert_string_equal(e->name, "policy");
		assert_string_equal(e->cause, causes[n++]);
		assert_string_equal(e->ended, "default");
		assert_null(e->text);
		assert_int_equal(e->status, -1);
		if (strcmp(e->cause, "reboot") == 0) {
			assert_string_equal(e->action, "boot");
			assert_string_equal(e->target, "default");
			assert_int_equal(e->delay_ms, 0);
			assert_string_equal(e->by, "default");
		} else if (strcmp(e->cause, "halt") == 0) {
			assert_string_equal(e->action, "boot");
			assert_string_equal(e->target, "x");
			assert_int_equal(e->delay_ms, 2000);
			assert_string_equal(e->by, "on.halt");
		} else if (strcmp(e->cause, "given_up") == 0) {
			assert_string_equal(e->action, "wait");
			assert_null(e->target);
		} else {
			assert_string_equal(e->action, "stop");
			assert_null(e->target);
		}
	}
	e = vmrun_next_event(vm);
	assert_non_null(e);
	assert_string_equal(e->name, "starting");
	vmrun_close(vm);
}

/* Runs the VM until it has given up, and nothing is left to do. */
static void give_up(struct vmrun *vm)
{
	const struct vmrun_event *e;

	for (;;) {
		while ((e = vmrun_next_event(vm)) != NULL) {
			if (e->type == VMRUN_DECIDED && strcmp(e->action, "wait") == 0)
				return;
			assert_int_not_equal(e->type, VMRUN_ENDED);
		}
		life_step(vm, 10000);
	}
}

static void test_given_up_events(void **state)
{
	struct vmrun *vm = life_open("demo", GIVES_UP);
	const struct vmrun_event *e;
	bool decided = false;
	int told = 0;

	(void)state;
	life_script("exit 0\nerr last_words exit 0\nexit 1");
	assert_int_equal(vmrun_start(vm), 0);
	while (!decided) {
		life_step(vm, 10000);
		while ((e = vmrun_next_event(vm)) != NULL) {
			if (e->type == VMRUN_GIVEN_UP) {
				told++;
				assert_string_equal(e->name, "given_up");
				assert_string_equal(e->cause, "given_up");
				assert_string_equal(e->by, "restart_limit");
				assert_string_equal(e->target, "default");
				assert_non_null(strstr(e->text, "reboot, status 0, after "));
				assert_non_null(strstr(e->text, " s, by the guest: last words"));
				assert_ptr_equal(strchr(e->text, '\n'), strrchr(e->text, '\n'));
			}
			if (e->type != VMRUN_DECIDED)
				continue;
			assert_string_equal(e->cause, told > 0 ? "given_up" : "reboot");
			decided = told > 0;
		}
	}
	assert_int_equal(told, 1);
	assert_false(vmrun_ended(vm));
	vmrun_close(vm);
}

static void test_reset(void **state)
{
	struct vmrun *vm =
	    life_open("demo", GIVES_UP ",\"next_target\":\"x\",\"targets\":{\"x\":{}}");

	(void)state;
	life_script("exit 0\nexit 0\nexit 1");
	assert_false(vmrun_reset(vm));
	assert_int_equal(vmrun_start(vm), 0);
	assert_false(vmrun_reset(vm));
	give_up(vm);
	assert_true(vmrun_reset(vm));
	assert_false(vmrun_reset(vm));
	while (!vmrun_ended(vm))
		life_step(vm, 10000);
	assert_string_equal(life_events(vm),
	    "decided:boot starting:x checked:x spawned:x exit:poweroff cleaned:x decided:stop "
	    "ended:poweroff");
	assert_int_equal(vmrun_status(vm), 0);
	assert_false(vmrun_reset(vm));
	vmrun_close(vm);
}

/* Automatic boots count from the reset on, so the VM can give up again. */
static void test_reset_twice(void **state)
{
	struct vmrun *vm = life_open("demo", GIVES_UP);

	(void)state;
	life_script("exit 0\nexit 0\nexit 0\nexit 0\nexit 0\nexit 0\nexit 3");
	assert_int_equal(vmrun_start(vm), 0);
	for (int i = 0; i < 3; i++) {
		give_up(vm);
		assert_true(vmrun_reset(vm));
	}
	while (!vmrun_ended(vm))
		life_step(vm, 10000);
	assert_int_equal(vmrun_status(vm), 3);
	vmrun_close(vm);
}

static void test_stop_instead(void **state)
{
	struct vmrun *vm = life_open("demo", GIVES_UP);

	(void)state;
	life_script("exit 0\nexit 0\nexit 0");
	assert_int_equal(vmrun_start(vm), 0);
	give_up(vm);
	vmrun_stop(vm);
	while (!vmrun_ended(vm))
		life_step(vm, 10000);
	assert_string_equal(life_events(vm), "ended:stopped");
	assert_int_equal(vmrun_status(vm), 0);
	vmrun_close(vm);
}

/* The graph changes nothing: the prepared boot and the hooks of the first target stay. */
static void test_graph(void **state)
{
	struct vmrun *vm = life_open("demo", ",\"targets\":{\"x\":{\"mem\":\"128M\"}}");
	char *before = vmrun_graph(vm), *after;

	(void)state;
	assert_non_null(strstr(before, "digraph \"demo\" {"));
	assert_int_equal(vmrun_prepare(vm), 0);
	assert_non_null(vmrun_argv(vm));
	after = vmrun_graph(vm);
	assert_string_equal(before, after);
	free(before);
	free(after);
	life_script("exit 1");
	assert_string_equal(life_run(vm),
	    "starting:default checked:default spawned:default exit:poweroff cleaned:default "
	    "decided:stop ended:poweroff");
	assert_null(vmrun_graph(vm));
	vmrun_close(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_policy_events, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_given_up_events, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_reset, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_reset_twice, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_stop_instead, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_graph, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
