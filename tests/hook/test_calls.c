/* Hook calls: which functions run, what they wait for, and what becomes of their commands. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "hook/call.h"
#include "life.h"
#include "platform/clock.h"

#define KILLED_MS 1000

/* Two files of hooks; the functions answer with these bodies. */
#define HOOKS "vm.hooks = { 'first.lua', 'second.lua' }"

static struct vm v = VM;
static struct str heard; /* one word for each answer and fault that the callbacks got */
static bool goes_on;	 /* returned by the callbacks: the next function runs, too */

static struct node *facts(const void *context)
{
	(void)context;
	return node_new(NODE_OBJECT);
}

static bool hear(void *context, const char *label, struct node *answer)
{
	const struct node *status = node_get(answer, "status");

	(void)context;
	(void)label;
	str_addf(&heard, "%d ", status == NULL ? -1 : (int)status->integer);
	return goes_on;
}

static bool take_failure(void *context, const char *label, struct error *err)
{
	(void)context;
	assert_non_null(err->text);
	str_addf(&heard, "(%s) ", label);
	return goes_on;
}

static const struct hook heeded = {
	.name = "on_exit", .argument = facts, .on_answer = hear, .on_failure = take_failure
};
static const struct hook unheeded = { .name = "on_exit", .argument = facts };

static int enter(void **state)
{
	goes_on = true;
	return life_enter(state);
}

static int leave(void **state)
{
	str_free(&heard);
	return life_leave(state);
}

static void write_hook(const char *file, const char *body)
{
	MEM_AUTO char *text = mem_format("return { on_exit = function() %s end }", body);

	vm_write(file, text);
}

/* Calls the hook, which two files have. */
static void call(const struct hook *what, const char *first, const char *second)
{
	write_hook("first.lua", first);
	write_hook("second.lua", second);
	vm_prepare(&v, HOOKS);
	hooks_call(v.machine, what, v.machine->boot.spec);
}

/* Calls the hook of a real run, whose commands run. */
static void call_real(const char *body)
{
	MEM_AUTO char *more = mem_format("function vm.on_exit() %s end", body);

	vm_make(&v, more, NULL);
	hooks_call(v.machine, &heeded, v.machine->boot.spec);
}

static bool is_over(const struct machine *m)
{
	return m->calls.main == NULL;
}

static void check_heard(const char *words)
{
	assert_string_equal(heard.text == NULL ? "" : heard.text, words);
}

static void test_no_function(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	hooks_call(v.machine, &heeded, v.machine->boot.spec);
	assert_true(v.machine->calls.main_ended);
	assert_true(is_over(v.machine));
	v.machine->calls.main_ended = false;
	hooks_call(v.machine, &heeded, NULL);
	assert_true(v.machine->calls.main_ended);
	check_heard("");
	vm_close(&v);
}

static void test_one_after_another(void **state)
{
	(void)state;
	call(&heeded, "return vmrun.stop(1)", "return vmrun.stop(2)");
	check_heard("1 2 ");
	assert_true(v.machine->calls.main_ended);
	assert_true(is_over(v.machine));
	vm_close(&v);
}

static void test_first_answer_is_enough(void **state)
{
	(void)state;
	goes_on = false;
	call(&heeded, "return vmrun.stop(1)", "return vmrun.stop(2)");
	check_heard("1 ");
	assert_true(v.machine->calls.main_ended);
	vm_close(&v);
}

/* A function that returns nothing has not answered. */
static void test_no_answer(void **state)
{
	(void)state;
	goes_on = false;
	call(&heeded, "", "return vmrun.stop(2)");
	check_heard("2 ");
	vm_close(&v);
	/* An answer that the question does not hear ends nothing. */
	call(&unheeded, "return vmrun.stop(1)", "error('second')");
	assert_non_null(vm_event(&v, VMRUN_HOOK_FAILED));
	vm_close(&v);
}

static void test_failures(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	call(&heeded, "error('first')", "return vmrun.stop(2)");
	check_heard("(on_exit of first.lua) 2 ");
	assert_null(vm_event(&v, VMRUN_HOOK_FAILED));
	vm_close(&v);
	str_free(&heard);
	goes_on = false;
	call(&heeded, "error('first')", "return vmrun.stop(2)");
	check_heard("(on_exit of first.lua) ");
	assert_true(v.machine->calls.main_ended);
	vm_close(&v);
	call(&unheeded, "error('first')", "error('second')");
	for (int i = 0; i < 2; i++) {
		e = vm_event(&v, VMRUN_HOOK_FAILED);
		assert_non_null(e);
		assert_string_equal(
		    e->by, i == 0 ? "on_exit of first.lua" : "on_exit of second.lua");
		assert_non_null(strstr(e->text, i == 0 ? "first" : "second"));
	}
	vm_close(&v);
}

/* A hook whose functions cannot be listed fails as a whole, and is over. */
static void test_failed_list(void **state)
{
	struct hook_source source = { .has_functions = true };
	const struct vmrun_event *e;

	(void)state;
	vm_prepare(&v, "");
	source.doc = v.machine->source->doc;
	words_add(&source.files, "unknown.lua");
	calls_begin(&v.machine->calls, &unheeded, &source);
	e = vm_event(&v, VMRUN_HOOK_FAILED);
	assert_non_null(e);
	assert_string_equal(e->by, "on_exit");
	assert_non_null(
	    strstr(e->text, "the list of hooks has changed since it was read: unknown.lua"));
	assert_true(v.machine->calls.main_ended);
	assert_true(is_over(v.machine));
	words_free(&source.files);
	vm_close(&v);
}

/* Sets the time of the machine, and handles a deadline that is over. */
static void pass_to(int64_t ms)
{
	v.machine->options.simulation->now_ms = ms;
	machine_deadline(v.machine);
}

static void test_sleep(void **state)
{
	(void)state;
	call(&heeded, "vmrun.sleep(2) return vmrun.stop(1)", "vmrun.sleep(3) return vmrun.stop(2)");
	assert_false(v.machine->calls.main_ended);
	assert_int_equal(machine_until_ms(v.machine), 2000);
	pass_to(1999);
	check_heard("");
	pass_to(2000);
	check_heard("1 ");
	assert_int_equal(machine_until_ms(v.machine), 5000);
	pass_to(5000);
	check_heard("1 2 ");
	assert_true(is_over(v.machine));
	vm_close(&v);
}

static bool sleeps(const struct machine *m)
{
	const struct call *call = m->calls.main;

	return call->command.job.pid == 0 && call->state == CALL_WAITS;
}

/* Lua computes in slices of real time: on a busy machine the command starts after some of them. */
static bool has_command(const struct machine *m)
{
	return m->calls.main->command.job.pid != 0;
}

/* A sleep after a command ends at its time, as any other. */
static void test_sleep_after_a_command(void **state)
{
	(void)state;
	call_real("vmrun.exec { 'sleep', '600' } vmrun.sleep(600) return vmrun.stop(1)");
	vm_await(&v, has_command);
	assert_int_equal(kill(v.machine->calls.main->command.job.pid, SIGKILL), 0);
	vm_await(&v, sleeps);
	v.machine->calls.main->until_ms = 0;
	calls_wake(&v.machine->calls);
	check_heard("1 ");
	vm_close(&v);
}

/* What is due first counts, in whatever order the calls were begun; 0 is a time, too. */
static void test_first_of_many(void **state)
{
	(void)state;
	vm_prepare(&v,
	    "function vm.on_exit() vmrun.sleep(2) end\n"
	    "function vm.on_started() vmrun.sleep(0) vmrun.sleep(3) end");
	hooks_call(v.machine, &heeded, v.machine->boot.spec);
	hooks_call(v.machine, &hooks_started, v.machine->boot.spec);
	assert_int_equal(machine_until_ms(v.machine), 0);
	pass_to(0);
	assert_int_equal(machine_until_ms(v.machine), 2000);
	pass_to(2000);
	assert_int_equal(machine_until_ms(v.machine), 3000);
	vm_close(&v);
}

/* Each wait goes through the loop, so that a hook with many waits does not block it. */
static void test_sleep_of_no_time(void **state)
{
	(void)state;
	call(&heeded, "vmrun.sleep(0) vmrun.sleep(0) return vmrun.stop(1)", "");
	check_heard("");
	assert_int_equal(machine_until_ms(v.machine), 0);
	pass_to(0);
	check_heard("");
	pass_to(0);
	check_heard("1 ");
	vm_close(&v);
}

/* The earlier deadline of the hook and the state counts. */
static void test_nearest_deadline(void **state)
{
	(void)state;
	call(&heeded, "vmrun.sleep(2)", "");
	v.machine->present.deadline_ms = 1999;
	assert_int_equal(machine_until_ms(v.machine), 1999);
	v.machine->present.deadline_ms = 2001;
	assert_int_equal(machine_until_ms(v.machine), 2000);
	calls_abandon(&v.machine->calls);
	assert_int_equal(machine_until_ms(v.machine), 2001);
	vm_close(&v);
}

static void test_dry_run(void **state)
{
	(void)state;
	goes_on = false;
	call(&heeded,
	    "local status, out, err = vmrun.exec { 'touch', 'made' }"
	    "return vmrun.stop(status == 0 and out == '' and err == '' and 1 or 2)",
	    "");
	assert_int_equal(v.machine->calls.main->command.job.pid, 0);
	vm_check_event(&v, VMRUN_NOTE, "not run: touch made");
	check_heard("");
	pass_to(0); /* the answer comes through the loop, too */
	check_heard("1 ");
	assert_int_not_equal(access("made", F_OK), 0);
	vm_close(&v);
}

/* Returns the ledger's entry of the command that runs, which has no arguments. */
static const struct ledger_process *process(void)
{
	return ledger_process_at(v.machine->host.ledger, 0);
}

static void test_command(void **state)
{
	int64_t before = clock_ms(), after;

	(void)state;
	call_real(
	    "local status, out, err = vmrun.exec { 'sh', '-c',"
	    "  'until [ -e go ]; do sleep 0.05; done; cat; printf \"e\\\\0f\\\\n\" >&2; exit 3',"
	    "  stdin = 'in', timeout = 600 }"
	    "return vmrun.stop(status == 3 and out == 'in' and err == 'e\\0f\\n' and 1 or 2)");
	vm_await(&v, has_command);
	assert_non_null(process());
	assert_string_equal(process()->name, "command of a hook: sh");
	assert_int_equal(process()->pid, v.machine->calls.main->command.job.pid);
	after = clock_ms();
	assert_in_range(v.machine->calls.main->until_ms, before + 600000, after + 600000);
	vm_write("go", "");
	vm_await(&v, is_over);
	check_heard("1 ");
	assert_null(process());
	vm_close(&v);
}

static void test_missing_command(void **state)
{
	(void)state;
	call_real("local status, why = vmrun.exec { './missing' }"
		  "return vmrun.stop(why:find('/missing: No such file or directory', 1, true) and "
		  "1 or 2)");
	assert_int_equal(v.machine->calls.main->command.job.pid, 0);
	assert_null(process());
	check_heard("");
	vm_await(&v, is_over);
	check_heard("1 ");
	vm_close(&v);
}

/* A function that computes continues after whatever else is due. */
static void test_computing(void **state)
{
	struct machine *m;

	(void)state;
	call_real("print('begun') repeat local f = io.open('go') until f return vmrun.stop(1)");
	m = v.machine;
	assert_true(machine_computes(m));
	assert_int_equal(machine_until_ms(m), m->calls.main->until_ms);
	assert_true(m->calls.main->until_ms <= machine_now(m));
	m->present.deadline_ms = m->calls.main->until_ms - 1;
	m->present.late_ms = -1;
	assert_int_equal(machine_until_ms(m), m->present.deadline_ms);
	machine_deadline(m);
	assert_int_equal(m->present.deadline_ms, -1);
	assert_int_not_equal(m->present.late_ms, -1);
	machine_deadline(m);
	assert_true(machine_computes(m));
	check_heard("");
	vm_write("go", "");
	vm_await(&v, is_over);
	check_heard("1 ");
	assert_false(machine_computes(m));
	vm_close(&v);
}

static void test_computing_abandoned(void **state)
{
	(void)state;
	call_real("repeat local f = io.open('go') until f return vmrun.stop(1)");
	calls_abandon(&v.machine->calls);
	assert_false(machine_computes(v.machine));
	assert_true(is_over(v.machine));
	check_heard("");
	hooks_call(v.machine, &unheeded, v.machine->boot.spec);
	assert_true(machine_computes(v.machine));
	vm_close(&v);
}

/* Hooks that were still to begin when their boot ended are not called. */
static void test_boot_that_ends_before_its_hooks_begin(void **state)
{
	struct calls *c;

	(void)state;
	vm_make(&v,
	    "function vm.on_exit() repeat local f = io.open('go') until f end\n"
	    "function vm.on_started() print 'begun' end function vm.on_ready() print 'begun' end",
	    NULL);
	c = &v.machine->calls;
	hooks_call(v.machine, &heeded, v.machine->boot.spec);
	hooks_call(v.machine, &hooks_started, v.machine->boot.spec);
	hooks_call(v.machine, &hooks_ready, v.machine->boot.spec);
	assert_true(calls_have_fresh(c, &hooks_started));
	assert_true(calls_have_fresh(c, &hooks_ready));
	calls_boot_ended(c);
	assert_false(calls_have_fresh(c, &hooks_started));
	assert_false(calls_have_fresh(c, &hooks_ready));
	vm_write("go", "");
	vm_await(&v, is_over);
	assert_false(calls_last(c));
	vm_check_not_told(&v, "begun");
	vm_close(&v);
}

static bool waits(const struct machine *m)
{
	return !machine_computes(m);
}

/* Calls on_exit, of which the first function decides; returns how often Lua was entered. */
static uint64_t turns_of_exit(void)
{
	const struct document *doc = v.machine->source->doc;
	uint64_t before = document_turns(doc);

	hooks_call(v.machine, &hooks_exit, v.machine->boot.spec);
	assert_string_equal(v.machine->choice.answer_label, "on_exit of first.lua");
	return document_turns(doc) - before;
}

/* The functions of on_exit are listed before its call, unless a script has run since. */
static void test_foreseen(void **state)
{
	struct machine *m;

	(void)state;
	call(&unheeded, "return vmrun.stop(1)", "return vmrun.stop(2)");
	m = v.machine;
	assert_int_equal(turns_of_exit(), 2);
	hooks_foresee_exit(m);
	assert_int_equal(turns_of_exit(), 1);
	assert_int_equal(turns_of_exit(), 2);
	hooks_foresee_exit(m);
	hooks_call(m, &unheeded, m->boot.spec);
	assert_int_equal(turns_of_exit(), 2);
	hooks_foresee_exit(m);
	hooks_foresee_exit(m);
	calls_boot_began(&m->calls, false, 0);
	assert_int_equal(turns_of_exit(), 2);
	hooks_foresee_exit(m);
	vm_close(&v);
}

/* What is foreseen is asked of Lua, which nothing else enters while a function is left. */
static void test_not_foreseen(void **state)
{
	struct calls *c;

	(void)state;
	vm_make(&v,
	    "function vm.on_exit() return true end\n"
	    "function vm.on_started() repeat local f = io.open('go') until f end",
	    NULL);
	c = &v.machine->calls;
	hooks_call(v.machine, &hooks_started, v.machine->boot.spec);
	assert_true(calls_compute(c));
	hooks_foresee_exit(v.machine);
	assert_null(c->foreseen.hook);
	vm_write("go", "");
	vm_await(&v, waits);
	hooks_foresee_exit(v.machine);
	assert_ptr_equal(c->foreseen.hook, &hooks_exit);
	vm_close(&v);
	vm_prepare(&v, "");
	hooks_foresee_exit(v.machine);
	assert_null(v.machine->calls.foreseen.hook);
	vm_close(&v);
}

/* A hook that computes is fresh until its first wait, in which the guest counts as started. */
static void test_fresh(void **state)
{
	struct calls *c;

	(void)state;
	vm_make(&v,
	    "function vm.on_ready() repeat local f = io.open('go') until f vmrun.sleep(600) end",
	    NULL);
	c = &v.machine->calls;
	hooks_call(v.machine, &hooks_ready, v.machine->boot.spec);
	assert_true(calls_have_fresh(c, &hooks_ready));
	assert_false(calls_have_fresh(c, &hooks_started));
	vm_write("go", "");
	vm_await(&v, waits);
	assert_true(calls_last(c));
	assert_false(calls_have_fresh(c, &hooks_ready));
	vm_close(&v);
}

/* A function that waits after it has computed is one that waits. */
static void test_computing_then_waiting(void **state)
{
	(void)state;
	call_real("repeat local f = io.open('go') until f vmrun.exec { 'sleep', '600' }");
	vm_write("go", "");
	while (machine_computes(v.machine))
		machine_deadline(v.machine);
	assert_int_not_equal(v.machine->calls.main->command.job.pid, 0);
	vm_close(&v);
}

/* Lets the time limit of the main call's wait come. */
static void reach_limit(void)
{
	v.machine->calls.main->until_ms = 0;
	calls_wake(&v.machine->calls);
}

#define LATE(text)                                                       \
	"local status, why = vmrun.exec { 'sleep', '600', timeout = 7 }" \
	"return vmrun.stop(why:find('" text "', 1, true) and 1 or 2)"

static void test_late_command(void **state)
{
	int64_t before, after;

	(void)state;
	call_real(LATE("7 s"));
	vm_await(&v, has_command);
	before = machine_now(v.machine);
	reach_limit();
	after = machine_now(v.machine);
	assert_true(v.machine->calls.main->late);
	assert_in_range(v.machine->calls.main->until_ms, before + KILLED_MS, after + KILLED_MS);
	assert_non_null(process()); /* kept until the command is reaped */
	vm_await(&v, is_over);
	check_heard("1 ");
	assert_null(process());
	vm_close(&v);
}

/* Each command has its own time limit, also after a command that timed out. */
static void test_command_after_a_late_one(void **state)
{
	(void)state;
	call_real("vmrun.exec { 'sleep', '600' } vmrun.exec { 'sleep', '600' }");
	vm_await(&v, has_command);
	reach_limit();
	assert_true(v.machine->calls.main->late);
	assert_true(calls_command_ended(&v.machine->calls, v.machine->calls.main->command.job.pid));
	vm_await(&v, has_command);
	assert_false(v.machine->calls.main->late);
	vm_close(&v);
}

/* vmrun stops waiting for a command that hangs in the kernel. */
static void test_hanging_command(void **state)
{
	pid_t pid;

	(void)state;
	call_real(LATE("sleep does not end"));
	vm_await(&v, has_command);
	pid = v.machine->calls.main->command.job.pid;
	reach_limit();
	reach_limit();
	check_heard("1 ");
	assert_true(is_over(v.machine));
	assert_null(process());
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	vm_close(&v);
}

static void test_flooding_command(void **state)
{
	(void)state;
	call_real("local status, why = vmrun.exec { 'yes' }"
		  "return vmrun.stop(status == nil and why:find('yes') and 1 or 2)");
	vm_await(&v, is_over);
	check_heard("1 ");
	vm_close(&v);
}

static void test_end_of_another_process(void **state)
{
	(void)state;
	call_real("vmrun.sleep(600)");
	assert_false(calls_command_ended(&v.machine->calls, getpid()));
	assert_false(calls_command_ended(&v.machine->calls, 0));
	assert_non_null(v.machine->calls.main->task);
	vm_close(&v);
}

static void check_killed(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void test_abandoned(void **state)
{
	pid_t pid;

	(void)state;
	call_real("vmrun.exec { 'sleep', '600' } return vmrun.stop(1)");
	vm_await(&v, has_command);
	pid = v.machine->calls.main->command.job.pid;
	calls_abandon(&v.machine->calls);
	assert_true(is_over(v.machine));
	assert_false(v.machine->calls.main_ended);
	assert_null(process());
	check_heard("");
	check_killed(pid);
	/* A call that has ended has no deadline. */
	v.machine->calls.main_ended = true;
	calls_abandon(&v.machine->calls);
	assert_false(v.machine->calls.main_ended);
	vm_close(&v);
}

/* A new call ends the one that is in progress. */
static void test_begun_again(void **state)
{
	pid_t pid;

	(void)state;
	call_real("vmrun.exec { 'sleep', '600' } return vmrun.stop(1)");
	vm_await(&v, has_command);
	pid = v.machine->calls.main->command.job.pid;
	hooks_call(v.machine, &heeded, v.machine->boot.spec);
	check_killed(pid);
	assert_int_not_equal(v.machine->calls.main->command.job.pid, pid);
	assert_int_equal(process()->pid, v.machine->calls.main->command.job.pid);
	vm_close(&v);
}

/* When no loop follows, the command is reaped at once. */
static void test_ended(void **state)
{
	(void)state;
	call_real("vmrun.exec { 'sleep', '600' } return vmrun.stop(1)");
	vm_await(&v, has_command);
	calls_close(&v.machine->calls);
	assert_true(is_over(v.machine));
	assert_null(process());
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	calls_close(&v.machine->calls);
	vm_close(&v);
}

#define CALL(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CALL(test_no_function),
		CALL(test_one_after_another),
		CALL(test_first_answer_is_enough),
		CALL(test_no_answer),
		CALL(test_failures),
		CALL(test_failed_list),
		CALL(test_sleep),
		CALL(test_sleep_of_no_time),
		CALL(test_sleep_after_a_command),
		CALL(test_first_of_many),
		CALL(test_nearest_deadline),
		CALL(test_dry_run),
		CALL(test_computing),
		CALL(test_computing_abandoned),
		CALL(test_boot_that_ends_before_its_hooks_begin),
		CALL(test_foreseen),
		CALL(test_not_foreseen),
		CALL(test_fresh),
		CALL(test_computing_then_waiting),
		CALL(test_command),
		CALL(test_missing_command),
		CALL(test_late_command),
		CALL(test_command_after_a_late_one),
		CALL(test_hanging_command),
		CALL(test_flooding_command),
		CALL(test_end_of_another_process),
		CALL(test_abandoned),
		CALL(test_begun_again),
		CALL(test_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
