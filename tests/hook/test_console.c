/* Hooks on the console: what pauses its reading, what wakes, who types. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pattern.h"
#include "hook/call.h"
#include "life.h"
#include "platform/waitset.h"

static struct vm v = VM;

/* Starts a VM with this on_started; the test is the guest on its console. */
static void start(const char *body)
{
	MEM_AUTO char *more =
	    mem_format("vm.com1 = 'console' vm.stop = { { ['do'] = 'kill', wait = 9 } }\n"
		       "%s",
		body);

	life_script("hang\n");
	vm_start(&v, more);
	vm_reach(&v, STATE_RUNNING);
	assert_int_not_equal(fcntl(v.machine->console.guest_fd, F_SETFL, O_NONBLOCK), -1);
}

static void await_told(const char *text)
{
	while (strstr(vm_told(&v), text) == NULL)
		life_step(v.handle, 1000);
}

static void print(const char *text)
{
	assert_int_equal(
	    write(v.machine->console.guest_fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void finish(void)
{
	machine_kill(v.machine);
	while (!machine_ended(v.machine))
		life_step(v.handle, 1000);
	vm_close(&v);
}

/* Only output is read, and only while no hook is far behind; that ends with the call. */
static void test_pauses(void **state)
{
	struct wake wake = { .kind = WAKE_READABLE, .tag = MACHINE_TAG_CONSOLE };
	uint64_t total;

	(void)state;
	start("function vm.on_started() vmrun.expect 'never' end");
	print("some");
	while (v.machine->console.total == 0)
		life_step(v.handle, 1000);
	total = v.machine->console.total;
	v.machine->console_watch.pauses = true;
	print("more");
	machine_wake(v.machine, &wake);
	assert_int_equal(v.machine->console.total, total);
	/* The hook is not far behind: the console is watched again. */
	assert_false(v.machine->console_watch.pauses);
	while (v.machine->console.total == total)
		life_step(v.handle, 1000);
	finish();
}

/* A hook that waits for a text on a silent console has no deadline but its timeout. */
static void test_no_wake_ups(void **state)
{
	struct pollfd p = { .events = POLLIN };

	(void)state;
	start("function vm.on_started() vmrun.expect('never', { timeout = 600 }) end");
	v.machine->present.deadline_ms = -1; /* a look at the lock */
	while (calls_until_ms(&v.machine->calls) <= machine_now(v.machine))
		life_step(v.handle, 10);
	v.machine->present.deadline_ms = -1;
	life_step(v.handle, 0);
	assert_true(machine_until_ms(v.machine) > machine_now(v.machine) + 500000);
	assert_false(calls_want_room(&v.machine->calls));
	p.fd = vmrun_fd(v.handle);
	assert_int_equal(poll(&p, 1, 100), 0);
	finish();
}

/* The answer has the place in the list, and the text or the groups of the pattern. */
static void test_found(void **state)
{
	(void)state;
	start("function vm.on_started()"
	      "  print('got', vmrun.expect { 'never', 'login:' })"
	      "  print('got', vmrun.expect(vmrun.regex '^([a-z]+) ([0-9]+)$')) print 'over' end");
	print("a login: b\nabc 42\n");
	await_told("log over");
	vm_check_told(&v, "got\t2\tlogin:\n");
	vm_check_told(&v, "got\t1\tabc\t42\n");
	finish();
}

/* A wait that finds nothing takes nothing from the next one; one that finds a text takes it. */
static void test_what_is_not_found(void **state)
{
	(void)state;
	start("function vm.on_started()"
	      "  vmrun.expect 'ready'"
	      "  print('got', vmrun.expect('never', { timeout = 0.05 }))"
	      "  print('got', vmrun.expect(vmrun.regex 'never', { timeout = 0.05 }))"
	      "  print('got', vmrun.expect { 'beta', 'alpha' })"
	      "  print('got', vmrun.expect('alpha', { timeout = 0.05 }))"
	      "  print('got', vmrun.expect 'beta') print 'over' end");
	print("alpha ready alpha beta\n");
	await_told("log over");
	vm_check_told(&v,
	    "log got\tnil\ttimeout\nlog got\tnil\ttimeout\n"
	    "log got\t2\talpha\nlog got\tnil\ttimeout\nlog got\t1\tbeta\n");
	finish();
}

/* Two texts are typed one after the other, however slowly the guest reads. */
static void test_senders(void **state)
{
	static char got[300000];
	size_t length = 0;

	(void)state;
	start("local function send(c) assert(vmrun.send(c:rep(100000))) print('sent ' .. c) end\n"
	      "function vm.on_started() send 'a' end\n"
	      "vm.hooks = { 'second.lua' }\n"
	      "local f = io.open('second.lua', 'w')\n"
	      "f:write [[return { on_started = function() vmrun.send(('b'):rep(100000)) print "
	      "'sent b' "
	      "end }]] f:close()");
	while (length < 200000) {
		ssize_t n = read(v.machine->console.guest_fd, got + length, sizeof(got) - length);

		if (n > 0)
			length += (size_t)n;
		else
			life_step(v.handle, 1000);
	}
	assert_int_equal(length, 200000);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(got[i], got[i < 100000 ? 0 : 199999]);
	assert_int_not_equal(got[0], got[199999]);
	await_told("sent a");
	await_told("sent b");
	finish();
}

/* A guest that reads nothing, and a machine that is freed meanwhile. */
static void test_not_read(void **state)
{
	(void)state;
	start("function vm.on_started()"
	      "  vmrun.expect 'ready'" /* what is told during start() is lost */
	      "  print(vmrun.send(('a'):rep(1000000), { timeout = 0.05 }))"
	      "  vmrun.send(('a'):rep(1000000)) end");
	print("ready");
	await_told("nil\ttimeout");
	vm_close(&v);
}

/* Returns the call that waits for this. */
static struct call *waiting(enum call_wait wait)
{
	struct call *const *call = &v.machine->calls.lasting[0];

	while (*call == NULL || (*call)->state != CALL_WAITS || (*call)->wait != wait)
		life_step(v.handle, 1000);
	return *call;
}

/* Lets the guest print lines, which are read but not searched yet. */
static void print_lines(size_t bytes)
{
	struct console *console = &v.machine->console;
	struct pollfd p = { .fd = console->fd, .events = POLLIN };
	uint64_t until = console->total + bytes;

	while (console->total < until) {
		print("a line of 16 ...\n");
		assert_int_equal(poll(&p, 1, 60000), 1);
		(void)console_read(console);
	}
}

/*
 * After the end of the boot, a hook looks no further than the boot's own output, also where a
 * process that the hypervisor left goes on to print.
 */
static void test_look_after_the_end(void **state)
{
	struct calls *c;
	struct call *call;

	(void)state;
	start("function vm.on_started()"
	      "  print('got', vmrun.expect(vmrun.regex 'never', { timeout = 600 })) end");
	c = &v.machine->calls;
	call = waiting(WAIT_TEXT);
	print_lines(4 * MAX_PATTERN_LINE);
	wait_look(c, call);
	assert_true(call->behind);
	assert_int_equal(call->state, CALL_WAITS);
	call->gone_ms = machine_now(v.machine) + 600000;
	c->console_end = call->console_at;
	wait_look(c, call);
	assert_true(call->console_at < v.machine->console.total);
	assert_int_equal(call->state, CALL_ANSWERED);
	calls_wake(c);
	await_told("got\tnil\tgone");
	finish();
}

/* A list of texts that cannot be searched for is refused at once. */
static void test_refused_texts(void **state)
{
	struct node *request = node_new(NODE_OBJECT);
	struct call *call;

	(void)state;
	start("function vm.on_started() print('got', vmrun.sleep(600)) end");
	node_put(request, "expect", node_new(NODE_LIST));
	call = waiting(WAIT_TIME);
	wait_begin(&v.machine->calls, call, request);
	assert_non_null(call->answer);
	calls_wake(&v.machine->calls);
	await_told("got\tnil\ta list of 0 texts: expected 1 to 100");
	finish();
}

#define CONSOLE(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONSOLE(test_pauses),
		CONSOLE(test_no_wake_ups),
		CONSOLE(test_found),
		CONSOLE(test_what_is_not_found),
		CONSOLE(test_senders),
		CONSOLE(test_not_read),
		CONSOLE(test_look_after_the_end),
		CONSOLE(test_refused_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
