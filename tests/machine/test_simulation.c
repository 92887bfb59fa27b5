/* Simulation: the list of exits, and the boots that end by it. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "life.h"
#include "lib/handle.h"

#define MAX_REFUSED 200

static struct vm v = VM;

static void check_exit(
    const char *text, enum cause cause, int status, int signal, int64_t uptime_ms)
{
	struct simulation s;
	struct error err = { 0 };
	const struct outcome *out;

	if (simulation_parse(text, &s, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.next, 0);
	out = &s.item[0].outcome;
	assert_int_equal(out->cause, cause);
	assert_int_equal(out->status, status);
	assert_int_equal(out->signal, signal);
	assert_int_equal(s.item[0].uptime_ms, uptime_ms);
	simulation_free(&s);
}

static void test_exits(void **state)
{
	(void)state;
	check_exit("reboot", CAUSE_REBOOT, 0, 0, 0);
	check_exit("0", CAUSE_REBOOT, 0, 0, 0);
	check_exit("poweroff", CAUSE_POWEROFF, 1, 0, 0);
	check_exit("halt", CAUSE_HALT, 2, 0, 0);
	check_exit("triple_fault", CAUSE_TRIPLE_FAULT, 3, 0, 0);
	check_exit("error", CAUSE_ERROR, 4, 0, 0);
	check_exit("killed", CAUSE_KILLED, -1, SIGKILL, 0);
	check_exit("start_failed", CAUSE_START_FAILED, 1, 0, 0);
	check_exit("loader_failed", CAUSE_LOADER_FAILED, 1, 0, 0);
	check_exit("check_failed", CAUSE_CHECK_FAILED, -1, 0, 0);
	check_exit("stopped", CAUSE_STOPPED, -1, 0, 0);
	check_exit("reboot@90", CAUSE_REBOOT, 0, 0, 90000);
	check_exit("3@0.25", CAUSE_TRIPLE_FAULT, 3, 0, 250);
	check_exit("reboot@0", CAUSE_REBOOT, 0, 0, 0);
	check_exit("reboot@1000000000", CAUSE_REBOOT, 0, 0, 1000000000000);
}

static void test_list(void **state)
{
	struct simulation s;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(simulation_parse("reboot@1, halt ,3", &s, &err), 0);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.item[0].uptime_ms, 1000);
	assert_int_equal(s.item[1].outcome.cause, CAUSE_HALT);
	assert_int_equal(s.item[1].uptime_ms, 0);
	assert_int_equal(s.item[2].outcome.cause, CAUSE_TRIPLE_FAULT);
	simulation_free(&s);
}

#define MISSING "missing exit: expected a cause or a status"

static void test_parse_errors(void **state)
{
	static const struct {
		const char *list, *text;
	} wrong[] = {
		{ "", MISSING },
		{ "reboot,", MISSING },
		{ ",reboot", MISSING },
		{ "@9", MISSING },
		{ "rebot",
		    "invalid cause or status \"rebot\": expected a cause or 0 to 255, did you mean "
		    "\"reboot\"?" },
		{ "256", "invalid cause or status \"256\": expected a cause or 0 to 255" },
		{ "given_up", "given_up cannot be simulated: it follows from too many boots" },
		{ "reboot@", "invalid uptime \"\": expected seconds, as in reboot@90" },
		{ "reboot@-1", "invalid uptime \"-1\": expected seconds, as in reboot@90" },
		{ "reboot@9s", "invalid uptime \"9s\": expected seconds, as in reboot@90" },
		{ "reboot@nan", "invalid uptime \"nan\": expected seconds, as in reboot@90" },
		{ "reboot@0x10", "invalid uptime \"0x10\": expected seconds, as in reboot@90" },
		{ "reboot@1e1", "invalid uptime \"1e1\": expected seconds, as in reboot@90" },
		{ "reboot@.5", "invalid uptime \".5\": expected seconds, as in reboot@90" },
		{ "reboot@ 9", "invalid uptime \" 9\": expected seconds, as in reboot@90" },
		{ "reboot@1000000001",
		    "invalid uptime \"1000000001\": expected seconds, as in reboot@90" },
		{ "halt,reboot@x,given_up",
		    "invalid uptime \"x\": expected seconds, as in reboot@90" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct simulation s;
		struct error err = { 0 };

		assert_int_equal(simulation_parse(wrong[i].list, &s, &err), -1);
		assert_string_equal(err.text, wrong[i].text);
		assert_int_equal(err.status, STATUS_USAGE);
		assert_null(s.item);
		error_clear(&err);
	}
}

/* Prepares a VM whose simulation has this list. */
static struct simulation *prepare(const char *list)
{
	struct error err = { 0 };

	vm_prepare(&v, "");
	assert_int_equal(simulation_parse(list, &v.handle->simulation, &err), 0);
	return &v.handle->simulation;
}

static void test_circle(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	for (size_t used = 0; used <= 2; used++) {
		struct simulation *s = prepare("reboot,reboot");

		/* Boots that used an exit of the list were not refused. */
		s->next = used;
		v.machine->history.ends = (int64_t)used + MAX_REFUSED - 1;
		assert_false(simulation_loops(v.machine));
		assert_null(vm_event(&v, VMRUN_NOTE));
		v.machine->history.ends++;
		assert_true(simulation_loops(v.machine));
		e = vm_event(&v, VMRUN_NOTE);
		assert_non_null(e);
		assert_string_equal(
		    e->text, "endless loop: hooks refuse every boot and the policy keeps retrying");
		vm_close(&v);
	}
}

/* Simulates a VM whose hook refuses the first `count` boots. */
static void simulate_refusals(int count)
{
	char more[512];

	(void)snprintf(more, sizeof(more),
	    "vm.on = { check_failed = 'boot' } vm.restart_limit = false\n"
	    "local n = 0\n"
	    "function vm.on_start() n = n + 1 if n <= %d then return false end end",
	    count);
	vm_simulate(&v, more, "poweroff");
}

static void test_refused_boots(void **state)
{
	(void)state;
	simulate_refusals(MAX_REFUSED - 1);
	assert_true(machine_ended(v.machine));
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_POWEROFF);
	assert_int_equal(v.machine->history.ends, MAX_REFUSED);
	vm_close(&v);
	simulate_refusals(MAX_REFUSED);
	assert_false(machine_ended(v.machine));
	assert_int_equal(v.machine->history.ends, MAX_REFUSED);
	assert_int_equal(v.handle->simulation.next, 0);
	vm_close(&v);
}

static void test_check(void **state)
{
	struct simulation *s;

	(void)state;
	s = prepare("check_failed,reboot");
	assert_false(simulation_check(v.machine));
	assert_int_equal(s->next, 1);
	assert_true(simulation_check(v.machine));
	assert_int_equal(s->next, 1); /* that exit is the running boot's */
	s->next = 2;
	assert_true(simulation_check(v.machine));
	vm_close(&v);
}

static void test_start(void **state)
{
	struct simulation *s;

	(void)state;
	s = prepare("loader_failed@5,reboot@2");
	s->now_ms = 300;
	vm_check_next(simulation_start(v.machine), STATE_LOADING, -1);
	vm_put(&v, STATE_LOADING);
	assert_int_equal(simulation_end_of_boot(v.machine), 300); /* a loader runs no time */
	s->next = 1;
	s->now_ms = 1000;
	vm_check_next(simulation_start(v.machine), STATE_RUNNING, -1);
	vm_put(&v, STATE_RUNNING);
	s->now_ms = 1500;
	assert_int_equal(simulation_end_of_boot(v.machine), 3000);
	vm_put(&v, STATE_WAITING);
	assert_int_equal(simulation_end_of_boot(v.machine), -1);
	/* Beyond the list a boot never ends. */
	vm_put(&v, STATE_RUNNING);
	assert_false(simulation_is_used_up(v.machine));
	s->next = 2;
	assert_true(simulation_is_used_up(v.machine));
	assert_int_equal(simulation_end_of_boot(v.machine), -1);
	vm_check_next(simulation_start(v.machine), STATE_RUNNING, -1);
	vm_close(&v);
}

static void test_exit(void **state)
{
	struct simulation *s;

	(void)state;
	s = prepare("killed@2,stopped");
	s->started_ms = 1000;
	s->now_ms = 3000;
	simulation_exit(v.machine);
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_KILLED);
	assert_int_equal(v.machine->history.outcome.signal, SIGKILL);
	assert_int_equal(v.machine->history.uptime_ms, 2000);
	assert_false(v.machine->requests.stop);
	simulation_exit(v.machine);
	assert_true(v.machine->requests.stop);
	assert_int_equal(s->next, 2);
	vm_close(&v);
}

/* A simulated guest becomes ready, unless the list says otherwise or its spec says nothing. */
static void test_ready(void **state)
{
	struct simulation *s;

	(void)state;
	s = prepare("not_ready,poweroff");
	assert_false(simulation_becomes_ready(v.machine));
	s->next = 1;
	assert_true(simulation_becomes_ready(v.machine));
	s->next = 2;
	assert_true(simulation_becomes_ready(v.machine));
	vm_close(&v);
	vm_simulate(&v,
	    "vm.com1 = 'console' vm.ready = { console = 'login:' } vm.on = { not_ready = 'boot' }\n"
	    "function vm.on_ready() print 'ready' end",
	    "not_ready,poweroff");
	vm_check_told(&v, "spawned\nexit not_ready");
	vm_check_told(&v, "spawned\nlog ready\nexit poweroff");
	vm_close(&v);
	vm_simulate(&v, "function vm.on_ready() print 'ready' end", "poweroff");
	vm_check_not_told(&v, "log ready");
	vm_close(&v);
}

/* What has not been simulated is told before the end, which is the last event. */
static void test_end_is_last(void **state)
{
	const struct vmrun_event *e;
	enum vmrun_event_type last[2] = { VMRUN_LOST, VMRUN_LOST };

	(void)state;
	vm_simulate(&v, "", "poweroff,reboot");
	while ((e = vmrun_next_event(v.handle)) != NULL) {
		last[0] = last[1];
		last[1] = e->type;
	}
	assert_int_equal(last[0], VMRUN_NOTE);
	assert_int_equal(last[1], VMRUN_ENDED);
	vm_close(&v);
}

static void test_rest(void **state)
{
	struct simulation *s;
	const struct vmrun_event *e;

	(void)state;
	s = prepare("reboot,halt");
	s->next = 1;
	simulation_say_rest(v.machine);
	e = vm_event(&v, VMRUN_NOTE);
	assert_non_null(e);
	assert_string_equal(e->text, "the simulation ended after 1 of 2 exits");
	s->next = 2;
	simulation_say_rest(v.machine);
	assert_null(vm_event(&v, VMRUN_NOTE));
	vm_close(&v);
}

#define SIMULATION(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exits),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_parse_errors),
		SIMULATION(test_circle),
		SIMULATION(test_end_is_last),
		SIMULATION(test_refused_boots),
		SIMULATION(test_check),
		SIMULATION(test_start),
		SIMULATION(test_exit),
		SIMULATION(test_ready),
		SIMULATION(test_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
