/* The end of a run: companions, the ledger's entries, on_end and the last event. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"
#include "platform/clock.h"

#define COMPANION_MS 5000
#define KILLED_MS 1000
#define LOOK_MS 20

static struct vm v = VM;

static void open_ending(const char *more)
{
	vm_prepare(&v, more);
	vm_put(&v, STATE_ENDING);
}

static struct next enter(enum state state)
{
	vm_put(&v, state);
	return machine_states[state].enter(v.machine);
}

static struct companion_run *start_companion_as(const char *name, const char *line)
{
	struct words command = { 0 };
	struct companion_run *run;

	assert_null(words_split(&command, line));
	companions_want_one(&v.machine->companions, name, &command, false);
	words_free(&command);
	run = companions_find(&v.machine->companions, name);
	assert_int_equal(companion_start(&v.machine->companions, run, NULL), 0);
	return run;
}

static struct companion_run *start_companion(const char *name)
{
	return start_companion_as(name, "sleep 600");
}

/* Adds a thing to the ledger that this command undoes. */
static void take(const char *name, const char *command)
{
	struct ledger_thing thing = { .name = (char *)(uintptr_t)name };

	assert_null(words_split(&thing.undo, command));
	assert_int_equal(ledger_take(v.machine->host.ledger, &thing, NULL), 0);
	words_free(&thing.undo);
}

static void test_nothing_to_end(void **state)
{
	(void)state;
	open_ending("");
	v.machine->end.companions_killed = true;
	vm_check_next(enter(STATE_ENDING), STATE_REPORTING, -1);
	assert_false(v.machine->end.companions_killed);
	vm_close(&v);
}

static void test_companions(void **state)
{
	struct companion_run *first, *second;

	(void)state;
	open_ending("");
	first = start_companion("first");
	second = start_companion("second");
	vm_check_next(enter(STATE_ENDING), STATE_ENDING, COMPANION_MS);
	assert_false(first->wanted);
	(void)companions_ended(&v.machine->companions, first->job.pid);
	assert_int_equal(first->end.signal, SIGTERM);
	/* The other one still runs. */
	vm_check_next(vm_act(&v, EVENT_COMPANION), STATES, -1);
	(void)companions_ended(&v.machine->companions, second->job.pid);
	vm_check_next(vm_act(&v, EVENT_COMPANION), STATE_REPORTING, -1);
	assert_int_equal(vm_count_events(&v, VMRUN_WARNING), 0);
	vm_close(&v);
}

/* One companion is waited for as well as two. */
static void test_single_companion(void **state)
{
	struct companion_run *run;

	(void)state;
	open_ending("");
	run = start_companion("only");
	vm_check_next(enter(STATE_ENDING), STATE_ENDING, COMPANION_MS);
	(void)companions_ended(&v.machine->companions, run->job.pid);
	vm_check_next(vm_act(&v, EVENT_COMPANION), STATE_REPORTING, -1);
	vm_close(&v);
}

static void test_companion_that_stays(void **state)
{
	struct companion_run *run;
	const struct vmrun_event *e;
	pid_t pid;
	int status;

	(void)state;
	open_ending("");
	run = start_companion("stays");
	pid = run->job.pid;
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_ENDING, KILLED_MS);
	assert_true(v.machine->end.companions_killed);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_REPORTING, -1);
	e = vm_event(&v, VMRUN_WARNING);
	assert_non_null(e);
	assert_string_equal(e->text, "vmrun cannot kill a companion (the next start tries again)");
	assert_true(v.machine->host.cleanup_failed);
	assert_int_equal(run->job.pid, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	vm_close(&v);
}

/* What a companion has started gets the rest of its time, and is killed then. */
static void test_child_of_a_companion(void **state)
{
	struct companion_run *run;
	int child;

	(void)state;
	open_ending("");
	assert_int_equal(mkfifo("held", 0600), 0);
	run = start_companion_as(
	    "parent", "sh -c '(trap \"\" TERM; exec sleep 600 3>held >/dev/null 2>&1) & wait'");
	child = open("held", O_RDONLY); /* once it is deaf */
	assert_true(child >= 0);
	vm_check_next(enter(STATE_ENDING), STATE_ENDING, COMPANION_MS);
	(void)companions_ended(&v.machine->companions, run->job.pid);
	vm_check_next(vm_act(&v, EVENT_COMPANION), STATE_ENDING, LOOK_MS);
	v.machine->end.until_ms = clock_ms() + COMPANION_MS;
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_ENDING, LOOK_MS);
	assert_false(v.machine->end.companions_killed);
	v.machine->end.until_ms = clock_ms();
	(void)vm_act(&v, EVENT_DEADLINE);
	assert_true(v.machine->end.companions_killed);
	assert_int_equal(read(child, &(char){ 0 }, 1), 0); /* nobody holds it */
	(void)close(child);
	while (companions_linger(&v.machine->companions)) /* until init has reaped it */
		clock_sleep(1);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_REPORTING, -1);
	assert_int_equal(vm_count_events(&v, VMRUN_WARNING), 0);
	vm_close(&v);
}

/* A companion that ends while a command of the ledger runs starts no second one. */
static void test_companion_ends_late(void **state)
{
	pid_t pid;

	(void)state;
	open_ending("");
	take("tap3", "sleep 600");
	vm_check_next(vm_act(&v, EVENT_COMPANION), STATE_ENDING, MAX_UNDO_MS);
	pid = v.machine->helper.job.pid;
	assert_int_not_equal(pid, 0);
	vm_check_next(vm_act(&v, EVENT_COMPANION), STATES, -1);
	assert_int_equal(v.machine->helper.job.pid, pid);
	ledger_drop(v.machine->host.ledger, "tap3");
	vm_close(&v);
}

static void test_ledger(void **state)
{
	(void)state;
	open_ending("");
	take("tap3", "true");
	take("tap4", "true");
	vm_check_next(enter(STATE_ENDING), STATE_ENDING, MAX_UNDO_MS);
	for (int left = 2; left > 0; left--) {
		assert_int_equal(ledger_count(v.machine->host.ledger), left);
		helper_kill(&v.machine->helper);
		helper_give_up(&v.machine->helper);
		v.machine->helper.status = 0;
		vm_check_next(vm_act(&v, EVENT_HELPER), left == 1 ? STATE_REPORTING : STATE_ENDING,
		    left == 1 ? -1 : MAX_UNDO_MS);
	}
	assert_int_equal(ledger_count(v.machine->host.ledger), 0);
	vm_close(&v);
}

static void test_hanging_command(void **state)
{
	const struct vmrun_event *e;
	pid_t pid;

	(void)state;
	open_ending("");
	take("tap3:", "sleep 600"); /* an interface cannot have this name */
	vm_check_next(enter(STATE_ENDING), STATE_ENDING, MAX_UNDO_MS);
	pid = v.machine->helper.job.pid;
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_ENDING, MAX_KILL_MS);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_REPORTING, -1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	e = vm_event(&v, VMRUN_WARNING);
	assert_non_null(e);
	assert_string_equal(e->text,
	    "tap3: is left behind: `sleep 600`: it was killed (the next start tries again)");
	ledger_drop(v.machine->host.ledger, "tap3:");
	vm_close(&v);
}

static void test_report(void **state)
{
	(void)state;
	open_ending("function vm.on_end() end");
	vm_check_next(enter(STATE_REPORTING), STATES, -1);
	assert_true(v.machine->calls.main_ended);
	vm_check_next(vm_act(&v, EVENT_HOOK_ENDED), STATE_ENDED, -1);
	/* A stop or a kill does not wait for the hook. */
	vm_check_next(vm_act(&v, EVENT_STOP), STATE_ENDED, -1);
	vm_check_next(vm_act(&v, EVENT_KILL), STATE_ENDED, -1);
	vm_close(&v);
}

static void check_farewell(bool panic, bool failed, int status, int expected)
{
	const struct vmrun_event *e;

	v.options.panic_on_failed_cleanup = panic;
	open_ending("");
	v.machine->host.cleanup_failed = failed;
	v.machine->history.outcome.cause = CAUSE_HALT;
	v.machine->end.status = status;
	vm_check_next(enter(STATE_ENDED), STATES, -1);
	assert_true(machine_ended(v.machine));
	assert_int_equal(machine_status(v.machine), expected);
	e = vm_event(&v, VMRUN_ENDED);
	assert_non_null(e);
	assert_int_equal(e->exit_status, expected);
	assert_string_equal(e->cause, "halt");
	vm_close(&v);
}

static void test_farewell(void **state)
{
	(void)state;
	check_farewell(false, false, 3, 3);
	check_farewell(false, true, 3, 3);
	check_farewell(true, false, 3, 3);
	check_farewell(true, true, 3, STATUS_OS);
}

/* The file of vmrun's own pid goes with the end of the run, or with a machine that is freed. */
static void test_own_pid_file(void **state)
{
	struct machine_options o = { .own_pid_file = "own" };

	(void)state;
	for (int ended = 0; ended < 2; ended++) {
		vm_make(&v, "", &o);
		assert_true(life_file_exists("own"));
		if (ended) {
			vm_check_next(enter(STATE_ENDED), STATES, -1);
			assert_false(life_file_exists("own"));
		}
		vm_close(&v);
		assert_false(life_file_exists("own"));
	}
}

/* What cannot be removed is named, and counts as a failed cleanup. */
static void test_file_that_stays(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	assert_int_equal(mkdir("run/walk/" PLAN_FILE_SECRET, 0700), 0);
	vm_check_next(enter(STATE_ENDED), STATES, -1);
	assert_true(v.machine->host.cleanup_failed);
	vm_check_told(&v, "/" PLAN_FILE_SECRET " is left behind: ");
	assert_int_equal(rmdir("run/walk/" PLAN_FILE_SECRET), 0);
	vm_close(&v);
}

#define END(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		END(test_nothing_to_end),
		END(test_companions),
		END(test_single_companion),
		END(test_companion_that_stays),
		END(test_child_of_a_companion),
		END(test_companion_ends_late),
		END(test_ledger),
		END(test_hanging_command),
		END(test_report),
		END(test_farewell),
		END(test_own_pid_file),
		END(test_file_that_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
