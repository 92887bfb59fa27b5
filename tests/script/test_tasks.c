/* Calls that wait, anywhere in a script: C gets the request, and the script gets the answer. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/clock.h"

static void load_hook(struct script *s, const char *body)
{
	MEM_AUTO char *text = mem_format("return { on_exit = function(exit)\n%s\nend }", body);

	load_lua(s, text);
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit', files = list }", "{ 'on_exit of vm.lua' }");
}

static int begin(struct script *s, struct script_reply *reply, struct error *err)
{
	struct node *argument = node_of("{ name = 'on_exit', index = 1, argument = {} }");
	int rc = script_begin(s, "call", argument, reply, err);

	node_free(argument);
	return rc;
}

/* Checks the request that a call waits for, and frees it. */
static void waits_for(struct script_reply *reply, const char *request)
{
	struct node *wanted = node_of(request);
	MEM_AUTO char *got_text = NULL;
	MEM_AUTO char *wanted_text = node_show(wanted);

	assert_non_null(reply->request);
	assert_non_null(reply->task);
	assert_null(reply->result);
	got_text = node_show(reply->request);
	assert_string_equal(got_text, wanted_text);
	node_free(wanted);
	node_free(reply->request);
	reply->request = NULL;
}

static void answer(struct script_reply *reply, const char *expression)
{
	struct node *value = node_of(expression);
	struct error err = { 0 };

	if (script_resume(reply->task, value, reply, &err) != 0)
		fail_msg("resume: %s", err.text);
	node_free(value);
}

/* Continues a call, which must fail with an error that begins with the text. */
static void fails(struct script_reply *reply, const char *text)
{
	struct error err = { 0 };

	assert_int_equal(script_resume(reply->task, NULL, reply, &err), -1);
	assert_null(reply->task);
	if (strncmp(err.text, text, strlen(text)) != 0)
		fail_msg("%s\nis not: %s", err.text, text);
	error_clear(&err);
}

static void ends_with(struct script_reply *reply, const char *result)
{
	struct node *wanted = node_of(result);
	MEM_AUTO char *got_text = NULL;
	MEM_AUTO char *wanted_text = node_show(wanted);

	assert_null(reply->request);
	assert_null(reply->task);
	assert_non_null(reply->result);
	got_text = node_show(reply->result);
	assert_string_equal(got_text, wanted_text);
	node_free(wanted);
	node_free(reply->result);
}

static void start(struct script *s, const char *body, struct script_reply *reply)
{
	struct error err = { 0 };

	load_hook(s, body);
	if (begin(s, reply, &err) != 0)
		fail_msg("begin: %s", err.text);
}

static void test_exec(void **state)
{
	struct script_reply reply;

	start(*state,
	    "local status, out, err = vmrun.exec { 'ls', '-l', 5, timeout = 3, stdin = 'x\\0y' }\n"
	    "assert(status == 3 and out == 'o' and err == 'e')\n"
	    "status, out, err = vmrun.exec { 'true' }\n"
	    "assert(status == nil and out == 'why' and err == nil)\n"
	    "return vmrun.stop(7)",
	    &reply);
	waits_for(
	    &reply, "{ exec = { 'ls', '-l', '5' }, timeout = 3, stdin = 'x\\0y', cwd = '/specs' }");
	answer(&reply, "{ status = 3, stdout = 'o', stderr = 'e' }");
	waits_for(&reply, "{ exec = { 'true' }, timeout = 60, cwd = '/specs' }");
	answer(&reply, "{ message = 'why' }");
	ends_with(&reply, "{ action = 'stop', status = 7 }");
	start(*state,
	    "vmrun.exec { 'a', cwd = 'b/c', env = { B = 1, A = 'x=y', C = false } }\n"
	    "vmrun.exec { 'a', cwd = '/d', env = {} }",
	    &reply);
	waits_for(&reply,
	    "{ exec = { 'a' }, timeout = 60, cwd = '/specs/b/c', env = { 'A=x=y', 'B=1', 'C' } }");
	answer(&reply, "{ status = 0 }");
	waits_for(&reply, "{ exec = { 'a' }, timeout = 60, cwd = '/d' }");
	answer(&reply, "{ status = 0 }");
	assert_null(reply.result);
}

static void test_misuse(void **state)
{
	static const struct {
		const char *code, *text;
	} wrong[] = {
		{ "vmrun.exec()", "vm.lua:2: vmrun.exec takes a command as a list" },
		{ "vmrun.exec('ls')", "vm.lua:2: vmrun.exec takes a command as a list" },
		{ "vmrun.exec {}", "vm.lua:2: vmrun.exec takes a command as a list" },
		{ "vmrun.exec { 'a', {} }", "vm.lua:2: vmrun.exec: word 2 is an empty table" },
		{ "vmrun.exec { 'a', 'b\\0c' }", "vm.lua:2: vmrun.exec: word 2 has a NUL in it" },
		{ "vmrun.exec { 'zfs', 'rollback', nil, 'x' }",
		    "vm.lua:2: vmrun.exec: word 3 is nil, and there are words after it" },
		{ "vmrun.exec { 'a', [4] = 'b' }", "vm.lua:2: vmrun.exec: word 2 is nil" },
		{ "vmrun.exec { nil, 'b' }", "vm.lua:2: vmrun.exec: word 1 is nil" },
		{ "vmrun.exec { [math.maxinteger] = 'b' }", "vm.lua:2: vmrun.exec: word 1 is nil" },
		{ "vmrun.exec(setmetatable({}, { __pairs = function() return next, { 'a', nil, 'c' "
		  "} "
		  "end, __index = { 'a', nil, 'c' } }))",
		    "vm.lua:2: vmrun.exec: word 2 is nil" },
		{ "vmrun.exec { 5 }", "vm.lua:2: vmrun.exec: word 1 is a number" },
		{ "vmrun.exec { 'a', [0] = 'b' }", "vm.lua:2: vmrun.exec: unknown option 0" },
		{ "vmrun.exec { 'a', timeot = 1 }",
		    "vm.lua:2: vmrun.exec: unknown option timeot, did you mean \"timeout\"? "
		    "(known: "
		    "background, cwd, env, stdin, timeout)" },
		{ "vmrun.exec { 'a', cwd = 5 }", "vm.lua:2: vmrun.exec: cwd is a string, not a" },
		{ "vmrun.exec { 'a', cwd = 'a\\0b' }",
		    "vm.lua:2: vmrun.exec: cwd has a NUL in it" },
		{ "vmrun.exec { 'a', env = 'A=1' }",
		    "vm.lua:2: vmrun.exec: env is a table of strings, not a string" },
		{ "vmrun.exec { 'a', env = { 'A=1' } }",
		    "vm.lua:2: vmrun.exec: env: 1 is not a name of a variable" },
		{ "vmrun.exec { 'a', env = { [''] = 'x' } }",
		    "vm.lua:2: vmrun.exec: env:  is not a name of a variable" },
		{ "vmrun.exec { 'a', env = { ['A=B'] = 'x' } }",
		    "vm.lua:2: vmrun.exec: env: A=B is not a name of a variable" },
		{ "vmrun.exec { 'a', env = { A = true } }",
		    "vm.lua:2: vmrun.exec: env.A is a boolean, not a string, or false to unset "
		    "it" },
		{ "vmrun.exec { 'a', env = { A = 'x\\0y' } }",
		    "vm.lua:2: vmrun.exec: env.A has a NUL in it" },
		{ "vmrun.exec { 'a', timeout = -1 }", "vm.lua:2: vmrun.exec: timeout is a number" },
		{ "vmrun.exec { 'a', timeout = 0/0 }",
		    "vm.lua:2: vmrun.exec: timeout is a number" },
		{ "vmrun.exec { 'a', stdin = {} }", "vm.lua:2: vmrun.exec: stdin is a string" },
		{ "vmrun.sleep()", "vm.lua:2: vmrun.sleep is a number of seconds" },
		{ "vmrun.sleep(math.huge)", "vm.lua:2: vmrun.sleep is a number of seconds" },
		{ "coroutine.yield()", "coroutine.yield outside a coroutine" },
	};
	struct script_reply reply;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct error err = { 0 };

		load_hook(*state, wrong[i].code);
		assert_int_equal(begin(*state, &reply, &err), -1);
		if (strncmp(err.text, wrong[i].text, strlen(wrong[i].text)) != 0)
			fail_msg("%s\nis not: %s", err.text, wrong[i].text);
		error_clear(&err);
	}
}

/* Waits work in all of Lua's functions that can yield, and in nested coroutines. */
static void test_where_it_can(void **state)
{
	static const char *const bodies[] = {
		"vmrun.sleep(1)",
		"assert((function() return vmrun.sleep(1) end)() == true)",
		"assert(pcall(vmrun.sleep, 1))",
		"assert(xpcall(vmrun.sleep, debug.traceback, 1))",
		"assert(pcall(pcall, vmrun.sleep, 1))",
		"coroutine.wrap(function() vmrun.sleep(1) end)()",
		"assert(coroutine.resume(coroutine.create(function() vmrun.sleep(1) end)))",
		"coroutine.wrap(function() coroutine.wrap(function() vmrun.sleep(1) end)() end)()",
		"for _ in coroutine.wrap(function() vmrun.sleep(1) end) do end",
		"local x = setmetatable({}, { __index = function() vmrun.sleep(1) end }).x",
		"local x = setmetatable({}, { __add = function() vmrun.sleep(1) end }) + 1",
		"do local c <close> = setmetatable({}, { __close = load 'vmrun.sleep(1)' }) end",
		"assert(load('vmrun.sleep(1)'))()",
		"coroutine.wrap(pcall)(vmrun.sleep, 1)",
		"local co = coroutine.create(vmrun.sleep) assert(coroutine.resume(co, 1))",
	};
	struct script_reply reply;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		MEM_AUTO char *body = mem_format("%s return 'default'", bodies[i]);

		start(*state, body, &reply);
		waits_for(&reply, "{ sleep = 1 }");
		answer(&reply, "nil");
		ends_with(&reply, "{ action = 'boot', target = 'default' }");
	}
}

static void test_where_it_cannot(void **state)
{
	static const char *const bodies[] = {
		"table.sort({ 3, 2, 1 }, function() vmrun.sleep(1) end)",
		"string.gsub('x', 'x', function() vmrun.sleep(1) end)",
		"table.sort({ 2, 1 }, coroutine.wrap(function() vmrun.sleep(1) end))",
		"table.sort({ 2, 1 }, coroutine.wrap(coroutine.wrap(vmrun.sleep)))",
		"tostring(setmetatable({}, { __tostring = function() vmrun.sleep(1) end }))",
	};
	struct script_reply reply;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		/* pcall catches the error, and the next wait works. */
		MEM_AUTO char *body =
		    mem_format("local ok, why = pcall(function() %s end)\n"
			       "assert(not ok and why:find('cannot wait here'), why)\n"
			       "vmrun.sleep(2) return true",
			bodies[i]);

		start(*state, body, &reply);
		waits_for(&reply, "{ sleep = 2 }");
		answer(&reply, "nil");
		ends_with(&reply, "{ action = 'boot' }");
	}
}

/* The script's own generators work between waits. */
static void test_own_yields(void **state)
{
	struct script_reply reply;

	start(*state,
	    "local co = coroutine.wrap(function(a)\n"
	    "	while true do\n"
	    "		local b = vmrun.exec { 'step', a }\n"
	    "		a = coroutine.yield(a + b)\n"
	    "	end\n"
	    "end)\n"
	    "assert(co(1) == 11) assert(co(2) == 22)\n"
	    "return vmrun.stop(co(3))",
	    &reply);
	waits_for(&reply, "{ exec = { 'step', '1' }, timeout = 60, cwd = '/specs' }");
	answer(&reply, "{ status = 10, stdout = '', stderr = '' }");
	waits_for(&reply, "{ exec = { 'step', '2' }, timeout = 60, cwd = '/specs' }");
	answer(&reply, "{ status = 20, stdout = '', stderr = '' }");
	waits_for(&reply, "{ exec = { 'step', '3' }, timeout = 60, cwd = '/specs' }");
	answer(&reply, "{ status = 30, stdout = '', stderr = '' }");
	ends_with(&reply, "{ action = 'stop', status = 33 }");
}

static void test_errors_after_a_wait(void **state)
{
	struct script_reply reply;

	start(*state, "vmrun.sleep(1) error('late')", &reply);
	waits_for(&reply, "{ sleep = 1 }");
	fails(&reply, "vm.lua:2: late\nstack traceback:");
	start(*state, "coroutine.wrap(function() vmrun.sleep(1) error('inner') end)()", &reply);
	waits_for(&reply, "{ sleep = 1 }");
	fails(&reply, "vm.lua:2: inner");
	start(*state, "vmrun.sleep(1) return 5", &reply);
	waits_for(&reply, "{ sleep = 1 }");
	fails(&reply, "on_exit returned a number");
	start(*state, "vmrun.sleep(1) coroutine.yield()", &reply);
	waits_for(&reply, "{ sleep = 1 }");
	fails(&reply, "coroutine.yield outside a coroutine");
}

/* The time limit counts all time inside Lua, and no waits. */
static void test_time_is_summed(void **state)
{
	struct script *s = script_open(100, 64 * MIB);
	struct script_reply reply;
	struct error err = { 0 };
	int stays = 1;

	(void)state;
	load_hook(s,
	    "while true do\n"
	    "	local clock, stop = os.clock, os.clock() + 0.03\n"
	    "	while clock() < stop do end\n"
	    "	vmrun.sleep(1)\n"
	    "end");
	(void)begin(s, &reply, &err);
	while (err.text == NULL && reply.request != NULL) {
		node_free(reply.request);
		clock_sleep(50);
		stays++;
		(void)script_resume(reply.task, NULL, &reply, &err);
	}
	assert_true(err.text != NULL && strstr(err.text, "still running after 100 ms") != NULL);
	assert_in_range(stays, 1, 5); /* fewer on a busy host */
	error_clear(&err);
	script_free(s);
}

static void test_abandoned(void **state)
{
	struct script_reply reply;

	start(*state,
	    "local c <close> = setmetatable({}, { __close = function() print('closed') end })\n"
	    "coroutine.wrap(function() vmrun.sleep(1) end)()\n"
	    "print('never')",
	    &reply);
	waits_for(&reply, "{ sleep = 1 }");
	script_abandon(reply.task);
	script_abandon(NULL);
	assert_string_equal(support_log.text, "info: closed\n");
	/* A call that waits or loops in a __close method is ended, too. */
	start(*state,
	    "local c <close> = setmetatable({}, { __close = function() vmrun.sleep(2) end })\n"
	    "vmrun.sleep(1)",
	    &reply);
	waits_for(&reply, "{ sleep = 1 }");
	script_abandon(reply.task);
	start(*state, "return true", &reply);
	ends_with(&reply, "{ action = 'boot' }");
}

static void test_abandoned_loop(void **state)
{
	struct script *s = script_open(40, 64 * MIB);
	struct script_reply reply;
	struct error err = { 0 };

	(void)state;
	load_hook(s,
	    "local c <close> = setmetatable({}, { __close = function() while true do end end })\n"
	    "vmrun.sleep(1)");
	assert_int_equal(begin(s, &reply, &err), 0);
	node_free(reply.request);
	script_abandon(reply.task);
	script_free(s);
}

/* Another call may run while one waits, and two may wait. */
static void test_beside_each_other(void **state)
{
	struct script_reply one, two;
	struct error err = { 0 };

	load_hook(*state, "n = (n or 0) + 1 local me = n vmrun.sleep(me) return vmrun.stop(me)");
	assert_int_equal(begin(*state, &one, &err), 0);
	waits_for(&one, "{ sleep = 1 }");
	assert_int_equal(begin(*state, &two, &err), 0);
	waits_for(&two, "{ sleep = 2 }");
	expect_boot(*state, "default", "problems", "{}");
	answer(&one, "nil");
	ends_with(&one, "{ action = 'stop', status = 1 }");
	answer(&two, "nil");
	ends_with(&two, "{ action = 'stop', status = 2 }");
}

/*
 * Without a loop, script_call() answers waits through its handler; without a handler, with nil.
 */
static void test_called(void **state)
{
	load_hook(*state, "assert(vmrun.exec { 'true' } == nil) vmrun.sleep(1) return false");
	expect(*state, "call", "{ name = 'on_exit', index = 1, argument = {} }",
	    "{ action = 'stop' }");
}

/* A state may be closed while a call waits. */
static void test_closed(void **state)
{
	struct script *s = script_open(60000, 64 * MIB);
	struct script_reply reply;
	struct error err = { 0 };

	(void)state;
	load_hook(s, "vmrun.sleep(1)");
	assert_int_equal(begin(s, &reply, &err), 0);
	node_free(reply.request);
	script_abandon(reply.task);
	script_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_exec),
		SUPPORT_TEST(test_misuse),
		SUPPORT_TEST(test_where_it_can),
		SUPPORT_TEST(test_where_it_cannot),
		SUPPORT_TEST(test_own_yields),
		SUPPORT_TEST(test_errors_after_a_wait),
		cmocka_unit_test(test_time_is_summed),
		SUPPORT_TEST(test_abandoned),
		cmocka_unit_test(test_abandoned_loop),
		SUPPORT_TEST(test_beside_each_other),
		SUPPORT_TEST(test_called),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
