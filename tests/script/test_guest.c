/* vmrun.expect, vmrun.send, vmrun.regex, vmrun.request and commands in the background. */
#include "support.h"

#include <string.h>

#include "base/mem.h"

#define BOOT "{ vm = 'demo', target = 'default', boots = 1, hypervisor = 'bhyve' }"

static void load_ready(struct script *s, const char *body)
{
	MEM_AUTO char *text = mem_format(
	    "return { on_ready = function(boot)\n%s\nend, targets = { rescue = {} } }", body);

	load_lua(s, text);
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_ready' }", "{ 'on_ready of vm.lua' }");
}

static void begin(struct script *s, const char *body, struct script_reply *reply)
{
	struct node *argument = node_of("{ name = 'on_ready', index = 1, argument = " BOOT " }");
	struct error err = { 0 };

	load_ready(s, body);
	if (script_begin(s, "call", argument, reply, &err) != 0)
		fail_msg("begin: %s", err.text);
	node_free(argument);
}

static void has_text(const struct node *got, const char *expression)
{
	struct node *wanted = node_of(expression);
	MEM_AUTO char *got_text = node_show(got);
	MEM_AUTO char *wanted_text = node_show(wanted);

	assert_string_equal(got_text, wanted_text);
	node_free(wanted);
}

/* Checks the request that a call waits for, frees it and answers. */
static void serve(struct script_reply *reply, const char *request, const char *answer)
{
	struct node *value = node_of(answer);
	struct error err = { 0 };

	assert_non_null(reply->request);
	has_text(reply->request, request);
	node_free(reply->request);
	if (script_resume(reply->task, value, reply, &err) != 0)
		fail_msg("resume: %s", err.text);
	node_free(value);
}

static void has_ended(const struct script_reply *reply)
{
	assert_null(reply->task);
	assert_null(reply->request);
	assert_null(reply->result);
}

static void test_expect(void **state)
{
	struct script_reply reply;

	begin(*state,
	    "local function is(...)\n"
	    "  local got, want = table.pack(vmrun.expect('$ ', { timeout = 5 })), { ... }\n"
	    "  for i = 1, 4 do assert(got[i] == want[i], i) end\n"
	    "end\n"
	    "is(1, '$ ')\n"
	    "is(nil, 'timeout')\n"
	    "is(nil, 'gone')\n"
	    "local re = vmrun.regex('status=([0-9]+)(x)?')\n"
	    "local i, status, x, more = vmrun.expect { 'a\\0b', re }\n"
	    "assert(i == 2 and status == '7' and x == '' and more == nil)\n"
	    "assert(vmrun.expect(re) == 1)",
	    &reply);
	serve(
	    &reply, "{ expect = { { text = '$ ' } }, timeout = 5 }", "{ index = 1, text = '$ ' }");
	serve(&reply, "{ expect = { { text = '$ ' } }, timeout = 5 }", "{ message = 'timeout' }");
	serve(&reply, "{ expect = { { text = '$ ' } }, timeout = 5 }", "{ message = 'gone' }");
	serve(&reply,
	    "{ expect = { { text = 'a\\0b' }, { regex = 'status=([0-9]+)(x)?' } }, timeout = 60 }",
	    "{ index = 2, groups = { '7', '' } }");
	serve(&reply, "{ expect = { { regex = 'status=([0-9]+)(x)?' } }, timeout = 60 }",
	    "{ index = 1, groups = { '', '' } }");
	has_ended(&reply);
}

static void test_send(void **state)
{
	struct script_reply reply;

	begin(*state,
	    "assert(vmrun.send('ls\\n') == true)\n"
	    "local ok, why = vmrun.send('a\\0b', { timeout = 0.5 })\n"
	    "assert(ok == nil and why == 'timeout')",
	    &reply);
	serve(&reply, "{ send = 'ls\\n', timeout = 60 }", "{ ok = true }");
	serve(&reply, "{ send = 'a\\0b', timeout = 0.5 }", "{ message = 'timeout' }");
	has_ended(&reply);
}

static void test_request(void **state)
{
	struct script_reply reply;

	begin(*state,
	    "assert(vmrun.request('stop', { status = 3.0 }) == true)\n"
	    "assert(vmrun.request('kill'))\n"
	    "assert(vmrun.request('reboot', { target = 'rescue' }))\n"
	    "local ok, why = vmrun.request('reset', {})\n"
	    "assert(ok == nil and why == 'no')\n"
	    "ok, why = vmrun.request('next', { target = 'resque' })\n"
	    "assert(ok == nil and why:find 'unknown target \"resque\", did you mean \"rescue\"')",
	    &reply);
	serve(&reply, "{ request = 'stop', status = 3 }", "{ ok = true }");
	serve(&reply, "{ request = 'kill' }", "{ ok = true }");
	serve(&reply, "{ request = 'reboot', target = 'rescue' }", "{ ok = true }");
	serve(&reply, "{ request = 'reset' }", "{ message = 'no' }");
	has_ended(&reply);
}

static void test_background(void **state)
{
	struct script_reply reply;

	begin(*state,
	    "assert(vmrun.exec { 'tail', '-f', background = true } == true)\n"
	    "local ok, why = vmrun.exec { 'a', background = true, timeout = 5 }\n"
	    "assert(ok == nil and why == 'no')\n"
	    "assert(vmrun.exec { 'b', background = false } == 0)",
	    &reply);
	serve(&reply, "{ exec = { 'tail', '-f' }, background = true, cwd = '/specs' }",
	    "{ ok = true }");
	serve(&reply, "{ exec = { 'a' }, background = true, timeout = 5, cwd = '/specs' }",
	    "{ message = 'no' }");
	serve(&reply, "{ exec = { 'b' }, timeout = 60, cwd = '/specs' }",
	    "{ status = 0, stdout = '', stderr = '' }");
	has_ended(&reply);
}

static void test_gone(void **state)
{
	struct script_reply reply;

	begin(*state,
	    "local ok, why = vmrun.sleep(5)\n"
	    "assert(ok == nil and why == 'gone')\n"
	    "assert(vmrun.sleep(1) == true)\n"
	    "ok, why = vmrun.exec { 'a' }\n"
	    "assert(ok == nil and why == 'gone')",
	    &reply);
	serve(&reply, "{ sleep = 5 }", "{ message = 'gone' }");
	serve(&reply, "{ sleep = 1 }", "nil");
	serve(&reply, "{ exec = { 'a' }, timeout = 60, cwd = '/specs' }", "{ message = 'gone' }");
	has_ended(&reply);
}

struct misuse {
	const char *code, *text;
};

static void check_misuse(struct script *s, const struct misuse *wrong, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		MEM_AUTO char *text = mem_format("vm.lua:2: %s", wrong[i].text);

		load_ready(s, wrong[i].code);
		expect_error(
		    s, "call", "{ name = 'on_ready', index = 1, argument = " BOOT " }", text);
	}
}

static void test_misuse_of_the_console(void **state)
{
	static const struct misuse wrong[] = {
		{ "vmrun.expect()",
		    "vmrun.expect: what to look for is nothing, expected a string" },
		{ "vmrun.expect('')", "vmrun.expect: what to look for is empty" },
		{ "vmrun.expect(('x'):rep(5000))",
		    "vmrun.expect: what to look for has 5000 bytes" },
		{ "vmrun.expect {}", "vmrun.expect: the list is empty" },
		{ "vmrun.expect { 'a', '' }", "vmrun.expect: [2] is empty" },
		{ "vmrun.expect { 'a', [3] = 'b' }", "vmrun.expect: [2] is nothing" },
		{ "vmrun.expect { 'a', timeout = 5 }", "vmrun.expect: the list has a key timeout" },
		{ "local t = {} for i = 1, 101 do t[i] = 'a' end vmrun.expect(t)",
		    "vmrun.expect: the list has 101 entries, at most 100" },
		{ "vmrun.expect('a', 5)", "vmrun.expect: the options are a table" },
		{ "vmrun.expect('a', vmrun.regex('b'))",
		    "vmrun.expect: the options are a table, as in { timeout = 5 }, not a regex" },
		{ "vmrun.expect('a', { timout = 5 })",
		    "vmrun.expect: unknown option timout, did you mean \"timeout\"?" },
		{ "vmrun.expect('a', { timeout = -1 })", "vmrun.expect: timeout is a number of" },
		{ "vmrun.expect('a', { timeout = 0/0 })", "vmrun.expect: timeout is a number of" },
		{ "vmrun.expect('a', { timeout = 1e300 })",
		    "vmrun.expect: timeout is a number of" },
		{ "vmrun.expect('a', { timeout = '5' })", "vmrun.expect: timeout is a number of" },
		{ "vmrun.send()", "vmrun.send takes a text, not nothing" },
		{ "vmrun.send(vmrun.regex('a'))", "vmrun.send takes a text, not a regex" },
		{ "vmrun.send('')", "vmrun.send: the text is empty" },
		{ "vmrun.send('a', { timeout = math.huge })",
		    "vmrun.send: timeout is a number of" },
		{ "vmrun.regex(5)", "vmrun.regex takes a regular expression as a string" },
		{ "vmrun.regex('(a')", "vmrun.regex: " },
		{ "vmrun.regex('(a)\\\\1')", "vmrun.regex: " },
		{ "vmrun.regex('a\\0b')", "vmrun.regex: " },
		{ "vmrun.regex('a').x = 1", "what vmrun.regex() returns is read-only" },
	};

	check_misuse(*state, wrong, sizeof(wrong) / sizeof(*wrong));
}

static void test_misuse_of_requests(void **state)
{
	static const struct misuse wrong[] = {
		{ "vmrun.request()", "vmrun.request: the request is a string, not nothing" },
		{ "vmrun.request('stopp')",
		    "vmrun.request: unknown request \"stopp\", did you mean" },
		{ "vmrun.request('stop', { delay = 5 })", "vmrun.request: unknown option delay" },
		{ "vmrun.request('stop', 5)",
		    "vmrun.request: the options are a table, as in { status = 5 }, not a number" },
		{ "vmrun.request('next', 'rescue')",
		    "vmrun.request: the options are a table, as in { target = \"default\" }, not" },
		{ "vmrun.request('stop', { status = 256 })", "vmrun.request: the status is an" },
		{ "vmrun.request('stop', { status = 1.5 })", "vmrun.request: the status is an" },
		{ "vmrun.request('kill', { status = 1 })",
		    "vmrun.request: \"kill\" has no status" },
		{ "vmrun.request('stop', { target = 'rescue' })",
		    "vmrun.request: \"stop\" has no target" },
		{ "vmrun.request('next')", "vmrun.request: \"next\" needs a target" },
		{ "vmrun.request('reboot', { target = 5 })",
		    "vmrun.request: the target is a string" },
		{ "vmrun.exec { 'a', background = 1 }", "vmrun.exec: background is true or false" },
		{ "table.sort({ 1, 2 }, function() vmrun.expect('a') end)",
		    "vmrun.expect: Lua cannot wait here" },
		{ "table.sort({ 1, 2 }, function() vmrun.send('a') end)",
		    "vmrun.send: Lua cannot wait here" },
		{ "table.sort({ 1, 2 }, function() vmrun.request('kill') end)",
		    "vmrun.request: Lua cannot wait here" },
	};

	check_misuse(*state, wrong, sizeof(wrong) / sizeof(*wrong));
}

/* A file that is read has no VM; neither has a hook file, although a hook was called before. */
static void test_in_the_chunk(void **state)
{
	static const struct {
		const char *code, *text;
	} wrong[] = {
		{ "vmrun.expect('a')", "vmrun.expect: only in a hook, while a VM runs" },
		{ "vmrun.send('a')", "vmrun.send: only in a hook, while a VM runs" },
		{ "vmrun.request('stop')", "vmrun.request: only in a hook, while a VM runs" },
		{ "vmrun.exec { 'a', background = true }",
		    "vmrun.exec: background: only in a hook, while a VM runs" },
		{ "vmrun.regex('(')", "vmrun.regex: " },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		MEM_AUTO char *text = mem_format("vm.lua:1: %s", wrong[i].text);
		MEM_AUTO char *hook = mem_format("h.lua:1: %s", wrong[i].text);
		MEM_AUTO char *request =
		    mem_format("{ key = 'k%zu', name = 'h.lua', path = '/h.lua', "
			       "text = [[%s]] }",
			i, wrong[i].code);

		load_error(*state, wrong[i].code, text);
		load_ready(*state, "");
		expect(
		    *state, "call", "{ name = 'on_ready', index = 1, argument = " BOOT " }", "nil");
		expect_error(*state, "load_hook", request, hook);
	}
}

/* Answers a call, which then fails with an error that names the path. */
static void fails_in(struct script_reply *reply, const char *request, const char *path)
{
	struct node *answer = node_of("{ index = 1, text = '' }");
	struct error err = { 0 };

	has_text(reply->request, request);
	node_free(reply->request);
	assert_int_equal(script_resume(reply->task, answer, reply, &err), -1);
	node_free(answer);
	assert_non_null(strstr(err.text, path));
	error_clear(&err);
}

/* A call that goes on after others has its own label and its own directory. */
static void test_side_by_side(void **state)
{
	struct script_reply one, two;
	struct node *argument = node_of("{ name = 'on_started', index = 1, argument = " BOOT " }");
	struct error err = { 0 };

	load_lua(*state,
	    "local function f() vmrun.expect('a') vmrun.include('none.lua') end\n"
	    "return { on_started = f }");
	expect_boot(*state, "default", "problems", "{}");
	expect(*state, "load_hook",
	    "{ key = 'k', name = 'h.lua', path = '/hooks/h.lua', text = 'return { on_ready = "
	    "function() local co = coroutine.wrap(function() return vmrun.expect(\"b\") end) "
	    "assert(co() == 1) vmrun.include(\"none.lua\") end }' }",
	    "{ functions = { 'on_ready' } }");
	expect(*state, "hooks", "{ name = 'on_started' }", "{ 'on_started of vm.lua' }");
	expect(
	    *state, "hooks", "{ name = 'on_ready', files = { 'k' } }", "{ 'on_ready of h.lua' }");
	assert_int_equal(script_begin(*state, "call", argument, &one, &err), 0);
	node_free(argument);
	argument = node_of("{ name = 'on_ready', index = 1, argument = " BOOT " }");
	assert_int_equal(script_begin(*state, "call", argument, &two, &err), 0);
	node_free(argument);
	fails_in(&one, "{ expect = { { text = 'a' } }, timeout = 60 }", "/specs/none.lua");
	fails_in(&two, "{ expect = { { text = 'b' } }, timeout = 60 }", "/hooks/none.lua");
}

/* A dry run finds the first thing at once and asks nobody; the 1,001st wait lasts to the boot's
 * end. */
static void test_dry_run(void **state)
{
	struct script_options options = {
		.budget_ms = 60000, .memory_bytes = 64 * MIB, .hypervisor = "bhyve", .dry_run = true
	};
	struct error err = { 0 };
	struct script_reply reply;
	struct script *s;

	(void)state;
	assert_int_equal(script_new(&s, &options, &err), 0);
	begin(s,
	    "local re = vmrun.regex('(a)(b)')\n"
	    "local i, text = vmrun.expect { 'x', re }\n"
	    "assert(i == 1 and text == 'x')\n"
	    "local found = table.pack(vmrun.expect { re, 'x' })\n"
	    "assert(found.n == 3 and found[1] == 1 and found[2] == '' and found[3] == '')\n"
	    "found = table.pack(vmrun.expect(vmrun.regex('a')))\n"
	    "assert(found.n == 2 and found[2] == '')\n"
	    "assert(vmrun.send('a') == true and vmrun.request('stop', { status = 1 }) == true)\n"
	    "assert(vmrun.save() == true)\n"
	    "assert(not pcall(vmrun.expect, ''))\n"
	    "assert(vmrun.exec { 'a', background = true } == true)\n"
	    "for i = 1, 994 do assert(vmrun.expect('x')) end\n"
	    "local ok, why = vmrun.expect('x')\n"
	    "assert(ok == nil and why == 'gone')",
	    &reply);
	serve(&reply, "{ exec = { 'a' }, background = true, cwd = '/specs' }",
	    "{ status = 0, stdout = '', stderr = '' }");
	serve(&reply, "{ sleep = 31622400 }", "{ message = 'gone' }");
	has_ended(&reply);
	script_free(s);
}

/* A task whose limit counts anew after each wait goes on, however much it computes altogether. */
static void test_renewed(void **state)
{
	struct script *s = script_open(2000, 64 * MIB);
	struct script_reply reply;

	(void)state;
	begin(s,
	    "for i = 1, 40 do\n"
	    "  local stop = os.clock() + 0.06\n"
	    "  while os.clock() < stop do end\n"
	    "  vmrun.sleep(1)\n"
	    "end",
	    &reply);
	for (int i = 0; i < 40; i++) {
		script_task_renew(reply.task);
		serve(&reply, "{ sleep = 1 }", "nil");
	}
	has_ended(&reply);
	script_free(s);
}

static void ran(struct script *s, const char *text, const char *result)
{
	MEM_AUTO char *request = mem_format("{ name = 'run.lua', text = [[%s]] }", text);

	expect(s, "run", request, result);
}

static void ran_badly(struct script *s, const char *text, const char *why)
{
	MEM_AUTO char *request = mem_format("{ name = 'run.lua', text = [[%s]] }", text);

	expect_error(s, "run", request, why);
}

/* A coroutine in which one call waits takes no answer that is another's. */
static void test_coroutine_of_another_call(void **state)
{
	static const char other[] =
	    "local ok, why = coroutine.resume(co) assert(not ok) print(why)\n"
	    "print(select(2, pcall(wrapped)))\n"
	    "assert(coroutine.status(co) == 'suspended')";
	static const char said[] = "info: cannot resume a coroutine in which another call waits\n"
				   "info: cannot resume a coroutine in which another call waits\n";
	struct script_reply one;

	begin(*state,
	    "co = coroutine.create(function() return vmrun.expect 'a' end)\n"
	    "wrapped = coroutine.wrap(function() return coroutine.resume(co) end)\n"
	    "local ok, index = wrapped() assert(ok and index == 4)",
	    &one);
	str_free(&support_log);
	ran(*state, other, "nil");
	assert_string_equal(support_log.text, said);
	serve(&one, "{ expect = { { text = 'a' } }, timeout = 60 }", "{ index = 4, text = 'a' }");
	has_ended(&one);
}

static void test_run(void **state)
{
	load_lua(*state, "function of_spec() return 5 end return {}");
	ran(*state, "return { of_spec(), vmrun.dir }", "{ 5, '/specs' }");
	ran_badly(*state, "return 'a\\0b'", "result: a string with a NUL in it");
	ran(*state, "#!/bin/vmrun\n", "nil");
	ran(*state, "return vmrun.null", "null");
	ran(*state, "return false, 5", "false");
	ran_badly(*state, "--\nx = = 1", "run.lua:2: unexpected symbol near '='");
	ran_badly(*state, "error('no', 0)", "no");
	ran_badly(*state, "--\nerror('no')", "run.lua:2: no");
	ran_badly(
	    *state, "return { a = { f = print } }", "result.a.f: a function is not plain data");
	ran_badly(*state, "return print", "result: a function is not plain data");
	ran_badly(*state, "return 0/0", "result: not a number (NaN)");
	ran_badly(*state, "local t = {} t.t = t return t", "result.t.t");
	ran_badly(*state, "os.execute('true')", "run.lua:1: os.execute inside a hook");
	ran_badly(*state, "io.read()", "run.lua:1: ");
	ran_badly(*state, "vmrun.include('none.lua')",
	    "run.lua:1: vmrun.include \"none.lua\": cannot open /specs/none.lua");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_expect),
		SUPPORT_TEST(test_send),
		SUPPORT_TEST(test_request),
		SUPPORT_TEST(test_background),
		SUPPORT_TEST(test_gone),
		SUPPORT_TEST(test_misuse_of_the_console),
		SUPPORT_TEST(test_misuse_of_requests),
		SUPPORT_TEST(test_in_the_chunk),
		SUPPORT_TEST(test_side_by_side),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_renewed),
		SUPPORT_TEST(test_coroutine_of_another_call),
		SUPPORT_TEST(test_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
