/* Hooks: which are called, their arguments, and the meaning of their answers. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Returns a hook file in the form of load_hook's argument. */
static struct node *hook_file(const char *key, const char *text, const char *options)
{
	struct node *one = node_new(NODE_OBJECT);

	node_put(one, "key", node_string(key));
	node_put(one, "path", node_string("/hooks/policy.lua"));
	node_put(one, "name", node_string("policy.lua"));
	node_put(one, "text", node_string(text));
	if (options != NULL)
		node_put(one, "options", node_of(options));
	return one;
}

static void add_file(struct script *s, const char *key, const char *text, const char *options)
{
	struct node *request = hook_file(key, text, options), *result = NULL;
	struct error err = { 0 };

	if (engine_call(s, "load_hook", request, &result, &err) != 0)
		fail_msg("%s", err.text);
	assert_null(node_get(result, "keeps"));
	assert_true(node_is_list(node_get(result, "functions")));
	node_free(result);
	node_free(request);
}

static void refuses_file(struct script *s, const char *text, const char *begin)
{
	struct node *request = hook_file("bad", text, NULL);
	MEM_AUTO char *got = error_of(s, "load_hook", request);

	node_free(request);
	if (strncmp(got, begin, strlen(begin)) != 0)
		fail_msg("wanted: %s\ngot: %s", begin, got);
}

static void test_order(void **state)
{
	struct script *s = *state;

	load_lua(s,
	    "local function same() end\n"
	    "return { on_exit = same, on_end = same, targets = { "
	    "t = { on_exit = function() end }, u = { extends = 't' }, "
	    "v = { on_exit = same }, w = { on_exit = vmrun.null }, "
	    "x = { on_start = function() end } } }");
	add_file(s, "k1", "return { on_exit = function() end }", NULL);
	add_file(s, "k2", "return function() return { on_start = function() end } end", NULL);
#define EXIT "{ name = 'on_exit', files = { 'k2', 'k1' } }"
	expect(s, "hooks", EXIT, "{ 'on_exit of policy.lua' }");
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", EXIT, "{ 'on_exit of vm.lua', 'on_exit of policy.lua' }");
	expect(s, "hooks", "{ name = 'on_start', files = { 'k1', 'k2' } }",
	    "{ 'on_start of policy.lua' }");
	expect(s, "hooks", "{ name = 'on_started', files = { 'k1', 'k2' } }", "{}");
	expect_boot(s, "t", "problems", "{}");
	expect(s, "hooks", EXIT,
	    "{ 'on_exit of vm.lua (target t)', 'on_exit of vm.lua', 'on_exit of policy.lua' }");
	expect_boot(s, "u", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit', files = list }",
	    "{ 'on_exit of vm.lua (target t)', 'on_exit of vm.lua' }");
	expect_boot(s, "v", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit' }", "{ 'on_exit of vm.lua' }");
	expect_boot(s, "w", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit' }", "{}");
	expect_boot(s, "x", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_start' }", "{ 'on_start of vm.lua (target x)' }");
	expect(s, "hooks", "{ name = 'on_end' }", "{ 'on_end of vm.lua' }");
}

static void test_hook_files(void **state)
{
	struct script *s = *state;

	refuses_file(s, "return 1",
	    "policy.lua: a hook file returns a table of hooks, or a function that "
	    "returns one; this one returned a number");
	refuses_file(s, "return { on_exti = function() end }",
	    "policy.lua: unknown hook \"on_exti\", did you mean \"on_exit\"?");
	refuses_file(s, "return { function() end }", "policy.lua: unknown hook \"1\"");
	refuses_file(
	    s, "return { on_exit = 'x' }", "policy.lua: on_exit is a string, expected a function");
	refuses_file(s, "return { programs = 'mail' }",
	    "policy.lua: programs is a string, expected a list of names of programs");
	refuses_file(s, "return { programs = { 'mail', 1 } }", "policy.lua: programs is a");
	refuses_file(s, "return { programs = { 'mail', '' } }", "policy.lua: programs is a");
	refuses_file(s, "return { programs = { 'mail', x = 'y' } }", "policy.lua: programs is a");
	refuses_file(s, "return nil, 'no moon'", "policy.lua cannot be used: no moon");
	refuses_file(
	    s, "return function() return nil, 'no moon' end", "policy.lua cannot be used: no moon");
	refuses_file(s, "return nil, 5", "policy.lua: a hook file returns a table of hooks");
	refuses_file(s, "return {", "policy.lua:1: unexpected symbol near <eof>");
	refuses_file(s, "return function(o)\n error('needs ' .. (o.faults or 'faults')) end",
	    "policy.lua:2: needs faults\nstack traceback:\n\t[C]: in function "
	    "'error'\n\tpolicy.lua:2: ");
	script_limit(s, 40, 64 * MIB);
	refuses_file(s, "while true do end", "policy.lua:1: still running after 40 ms ");
	script_limit(s, 60000, 64 * MIB);
	/* An instance keeps its variables; another use of the file is another instance. */
	static const char text[] =
	    "return function(o) local n = o.n or 0 return { on_exit = function() "
	    "n = n + 1 return vmrun.stop(n) end } end";
	add_file(s, "a", text, "{ n = 5 }");
	add_file(s, "b", text, NULL);
	expect(s, "hooks", "{ name = 'on_exit', files = { 'a', 'b' } }",
	    "{ 'on_exit of policy.lua', 'on_exit of policy.lua' }");
#define CALL(index) "{ name = 'on_exit', index = " #index ", argument = {} }"
	expect(s, "call", CALL(1), "{ action = 'stop', status = 6 }");
	add_file(s, "a", text, "{ n = 5 }");
	expect(s, "hooks", "{ name = 'on_exit', files = { 'a', 'b' } }",
	    "{ 'on_exit of policy.lua', 'on_exit of policy.lua' }");
	expect(s, "call", CALL(1), "{ action = 'stop', status = 7 }");
	expect(s, "call", CALL(2), "{ action = 'stop', status = 1 }");
}

/* Loads a hook whose on_exit has this body. */
static void load_exit(struct script *s, const char *body)
{
	MEM_AUTO char *text = mem_format(
	    "return { on_exit = function(exit) %s end, targets = { rescue = {}, install = {} } }",
	    body);

	load_lua(s, text);
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit' }", "{ 'on_exit of vm.lua' }");
}

#define FACTS                                                                                    \
	"{ name = 'on_exit', index = 1, argument = { vm = 'x', target = 'install', cause = "     \
	"'reboot', "                                                                             \
	"status = 0, uptime = 1.5, boots = 3, count = { reboot = 2, triple_fault = 0 }, "        \
	"next_target = 'install', "                                                              \
	"stderr = '', now = 60000, history = '60000\\nreboot\\n0\\n\\n1500\\nguest\\ninstall\\n" \
	"50500\\nkilled\\n\\n9\\n250\\n\\ndefault\\n' } }"

static void answers(struct script *s, const char *body, const char *answer)
{
	load_exit(s, body);
	expect(s, "call", FACTS, answer);
}

static void answers_badly(struct script *s, const char *body, const char *begin)
{
	load_exit(s, body);
	expect_error(s, "call", FACTS, begin);
}

static void test_answers(void **state)
{
	struct script *s = *state;

	answers(s, "", "nil");
	answers(s, "return nil", "nil");
	answers(s, "return true", "{ action = 'boot' }");
	answers(s, "return false", "{ action = 'stop' }");
	answers(s, "return 'rescue'", "{ action = 'boot', target = 'rescue' }");
	answers(s, "return 'default'", "{ action = 'boot', target = 'default' }");
	answers(s, "return vmrun.boot()", "{ action = 'boot' }");
	answers(s, "return vmrun.boot(exit.target, { delay = 5 })",
	    "{ action = 'boot', target = 'install', delay = 5 }");
	answers(s, "return vmrun.boot(nil, { delay = 0.25 })", "{ action = 'boot', delay = 0.25 }");
	answers(s, "return vmrun.stop()", "{ action = 'stop' }");
	answers(s, "return vmrun.stop(255.0)", "{ action = 'stop', status = 255 }");
}

/* Lua drops the frame of a tail call, with its line, unless a C function is called. */
static void test_place_of_a_tail_call(void **state)
{
	struct script *s = *state;

	answers_badly(s, "return vmrun.boot('y', { delay = 'soon' })",
	    "vm.lua:1: vmrun.boot: delay is a number of seconds from 0 to 31622400\n"
	    "stack traceback:\n\t[C]: in function 'vmrun.boot'\n\tvm.lua:1: in ");
	answers_badly(s, "\nreturn vmrun.merge(3)", "vm.lua:2: vmrun.merge takes two tables with ");
	answers_badly(s, "\nreturn exit.window('x')", "vm.lua:2: exit.window takes a number of ");
	answers_badly(s, "return coroutine.wrap(function()\nreturn vmrun.stop(256) end)()",
	    "vm.lua:2: vmrun.stop: the status is an integer from 0 to 255\nstack traceback:\n");
}

static void test_bad_answers(void **state)
{
	struct script *s = *state;

	answers_badly(s, "return 1",
	    "on_exit returned a number; expected a target name, vmrun.boot(), "
	    "vmrun.stop(), true, false or nothing");
	answers_badly(s, "return {}", "on_exit returned an empty table; ");
	answers_badly(s, "return vmrun.boot", "on_exit returned a function; ");
	answers_badly(s, "return 'resuce'",
	    "on_exit: unknown target \"resuce\", did you mean \"rescue\"? "
	    "(known: default, install, rescue)");
	answers_badly(s, "return vmrun.boot('x')", "on_exit: unknown target \"x\" (known: ");
	answers_badly(s, "local x = vmrun.boot(1)",
	    "vm.lua:1: vmrun.boot: the target is a string, not a "
	    "number\nstack traceback:\n");
	answers_badly(
	    s, "local x = vmrun.boot(nil, 5)", "vm.lua:1: vmrun.boot: the options are a table");
	answers_badly(
	    s, "vmrun.boot(nil, { dealy = 5 })", "vm.lua:1: vmrun.boot: unknown option dealy");
	answers_badly(
	    s, "vmrun.boot(nil, { delay = '5' })", "vm.lua:1: vmrun.boot: delay is a number");
	answers_badly(
	    s, "vmrun.boot(nil, { delay = -1 })", "vm.lua:1: vmrun.boot: delay is a number");
	answers_badly(
	    s, "vmrun.boot(nil, { delay = 0/0 })", "vm.lua:1: vmrun.boot: delay is a number");
	answers_badly(s, "vmrun.boot(nil, { delay = 1e9 })",
	    "vm.lua:1: vmrun.boot: delay is a number "
	    "of seconds from 0 to 31622400");
	answers_badly(
	    s, "vmrun.stop(256)", "vm.lua:1: vmrun.stop: the status is an integer from 0");
	answers_badly(
	    s, "vmrun.stop(1.5)", "vm.lua:1: vmrun.stop: the status is an integer from 0");
	answers_badly(
	    s, "vmrun.stop('1')", "vm.lua:1: vmrun.stop: the status is an integer from 0");
	answers_badly(
	    s, "vmrun.log('warn', 'x')", "vm.lua:1: vmrun.log: unknown level warn: expected");
	answers_badly(
	    s, "vmrun.exists()", "vm.lua:1: vmrun.exists: the path is a string, not nothing");
	answers_badly(
	    s, "error('x')", "vm.lua:1: x\nstack traceback:\n\t[C]: in function 'error'\n");
}

/* The body of on_exit asserts its argument. */
static void test_exit(void **state)
{
	static const char *const bodies[] = {
		"assert(exit.vm == 'x' and exit.uptime == 1.5 and exit.boots == 3 and exit.signal "
		"== nil)",
		"assert(exit.count.reboot == 2 and exit.count.triple_fault == 0)",
		"assert(exit.window(0) == 1 and exit.window(9.4) == 1 and "
		"exit.window(9.5) == 2)",
		"assert(#exit.history == 2 and exit.history[1].cause == 'reboot' and not "
		"exit.history[3])",
		"local n = 0 for i, h in ipairs(exit.history) do n = n + i assert(h.cause) end "
		"assert(n == 3)",
		"local n = 0 for i, h in pairs(exit.history) do n = n + i assert(h.cause) end "
		"assert(n == 3)",
		"local a, b = exit.history[1], exit.history[2] "
		"assert(a.target == 'install' and a.status == 0 and a.signal == nil and a.uptime "
		"== 1.5 "
		"and a.ended_by == 'guest') "
		"assert(b.target == 'default' and b.status == nil and b.signal == 9 and b.uptime "
		"== 0.25 "
		"and b.ended_by == nil and rawequal(b, exit.history[2]))",
		"local ok, e = pcall(function() return exit.history[1].time end) "
		"assert(not ok and e:find('exit.history%[1%] has no member \"time\"'))",
		"local copy = vmrun.merge({}, { all = exit.history }) "
		"assert(#copy.all == 2 and copy.all[2].cause == 'killed')",
		"local n = 0 for k, v in pairs(exit.count) do n = n + v end assert(n == 2)",
		"local copy = vmrun.merge({}, exit.count) "
		"assert(copy.reboot == 2 and copy.triple_fault == 0 and #exit.count == 0)",
		"local n = 0 for k in pairs(exit) do n = n + 1 end assert(n == 11)",
		"for _, t in ipairs { exit, exit.count, exit.history, exit.history[1] } do "
		"local ok, e = pcall(function() t.cause = 1 end) "
		"assert(not ok and e:find('is read%-only')) end",
		"assert(not pcall(function() return exit.ages end) and getmetatable(exit) == "
		"false)",
		"local ok, e = pcall(exit.window) assert(e:find('takes a number of seconds'))",
		"assert(vmrun.host.hypervisor == 'bhyve' and vmrun.host.os ~= '' and "
		"vmrun.host.release)",
		"assert(vmrun.env.PATH and vmrun.env.NO_SUCH_THING == nil and vmrun.env[1] == nil)",
		"local all = {} for k in pairs(vmrun) do all[k] = true end for k in "
		"('boot stop options exec sleep log event firmware exists include merge null host "
		"env'):gmatch('%S+') "
		"do "
		"assert(all[k], k) end",
	};
	struct script *s = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
		answers(s, bodies[i], "nil");
	load_exit(s, "assert(#exit.history == 0 and exit.window(1) == 0)");
	expect(s, "call", CALL(1), "nil");
	/* In their order, whichever was looked at first. */
	load_exit(s,
	    "local h, order = exit.history, '' for i = #h, 2, -1 do assert(h[i]) end "
	    "for i in pairs(h) do order = order .. i end assert(order == '1234567', order)");
	expect(s, "call",
	    "{ name = 'on_exit', index = 1, argument = { "
	    "history = ('0\\nreboot\\n0\\n\\n1\\n\\nx\\n'):rep(7) } }",
	    "nil");
}

static void load_prepare(struct script *s, const char *body)
{
	MEM_AUTO char *text = mem_format(
	    "local vm = { name = 'x', cpu = 2.0, emulations = { { device = 'a', id = 'cd' }, "
	    "{ device = 'b', slot = '9' }, { device = 'c' } },\n"
	    "targets = { t = { emulations = { { id = 'cd', remove = true } } } } }\n"
	    "function vm.on_exit() end\n"
	    "function vm.on_prepare(spec, boot)\n%s\nend return vm",
	    body);

	load_lua(s, text);
	expect_boot(s, "t", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_prepare' }", "{ 'on_prepare of vm.lua' }");
}

#define PREPARE                                                                         \
	"{ name = 'on_prepare', index = 1, argument = { slots = { '0:9:0', '0:1:0' }, " \
	"boot = { number = 1 } } }"

static void test_prepare(void **state)
{
	struct script *s = *state;

	load_prepare(s, "spec.mem = 'lost'");
	expect(s, "call", PREPARE, "nil");
	load_prepare(s,
	    "assert(spec.targets == nil and math.type(spec.cpu) == 'integer' and boot.number == "
	    "1)\n"
	    "assert(spec.on_exit == vm.on_exit and spec.emulations[1] ~= vm.emulations[2])\n"
	    "spec.mem = '1G' spec.name = vmrun.null return spec");
	expect(s, "call", PREPARE,
	    "{ cpu = 2, mem = '1G', on_exit = f, on_prepare = f, emulations = { "
	    "{ device = 'b', slot = '0:9:0' }, { device = 'c', slot = '0:1:0' } } }");
	expect(s, "locate", "{ path = { 'emulations', 1, 'slot' } }",
	    "{ source = 'hook', path = { 'emulations', 1, 'slot' } }");
	/* The next function gets the changed spec. */
	expect(s, "call", PREPARE,
	    "{ cpu = 2, mem = '1G', on_exit = f, on_prepare = f, emulations = { "
	    "{ device = 'b', slot = '0:9:0' }, { device = 'c', slot = '0:1:0' } } }");
	/* The next boot starts from the file again. */
	expect_boot(s, "default", "spec",
	    "{ name = 'x', cpu = 2, on_exit = f, on_prepare = f, emulations = { "
	    "{ device = 'a', id = 'cd' }, { device = 'b', slot = '9' }, { device = 'c' } } }");
	expect(s, "locate", "{ path = { 'cpu' } }", "{ source = 'file', path = { 'cpu' } }");
	load_prepare(s, "return 'x'");
	expect_error(s, "call", PREPARE,
	    "on_prepare returned a string; expected the changed spec, or nothing");
	load_prepare(s, "return vmrun.stop(1)");
	expect_error(s, "call", PREPARE,
	    "on_prepare returned vmrun.stop(), an answer for on_exit; expected the changed spec");
	load_prepare(s, "spec.me = spec return spec");
	expect_error(s, "call", PREPARE, "me.me.me.");
	load_prepare(s, "error('no disk', 0)");
	NODE_AUTO struct node *argument = node_of(PREPARE);
	MEM_AUTO char *text = error_of(s, "call", argument);

	assert_string_equal(text, "no disk"); /* without a traceback */
}

/* Whether on_prepare with this body, which returns nothing, is told that its changes are lost. */
static void loses(struct script *s, const char *body, bool is_told)
{
	str_free(&support_log);
	load_prepare(s, body);
	expect(s, "call", PREPARE, "nil");
	expect(s, "call", PREPARE, "nil");
	if (!is_told)
		assert_null(support_log.text);
	else if (support_log.text == NULL) /* once */
		fail_msg("not told: %s", body);
	else
		assert_string_equal(support_log.text,
		    "warning: on_prepare of vm.lua changed the spec and returned nothing, so its "
		    "changes are lost: end it with \"return spec\"\n");
}

static void test_lost_changes(void **state)
{
	static const char *const changes[] = {
		"spec.cpu = 4",
		"spec.mem = '1G'",
		"spec.cpu = nil",
		"spec.emulations = nil",
		"spec.emulations = {}",
		"spec.emulations[1].id = 'x'",
		"spec.emulations[1].new = 1",
		"spec.emulations[1].slot = '0:7:0'",
		"spec.emulations[1] = nil",
		"table.insert(spec.emulations, { device = 'virtio-rnd' })",
		"spec.emulations.x = 1",
		"spec.emulations[1] = 5",
		"spec.deep = spec",
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		loses(*state, changes[i], true);
	loses(*state, "", false);
	loses(*state, "spec.cpu = spec.cpu local e = spec.emulations[1] e.id = e.id", false);
	loses(*state, "spec.emulations = { table.unpack(spec.emulations) }", false);
}

/* Names that do not exist raise, those without a value do not. */
static void test_typos(void **state)
{
	static const struct {
		const char *code, *text;
	} typos[] = {
		{ "x = exit.caus", "exit has no member \"caus\", did you mean \"cause\"?" },
		{ "x = exit.histroy", "exit has no member \"histroy\", did you mean \"history\"?" },
		{ "x = exit.zzzzzzzz", "exit has no member \"zzzzzzzz\"\n" },
		{ "x = exit.count.tripple_fault",
		    "exit.count has no member \"tripple_fault\", did you mean \"triple_fault\"?" },
		{ "x = exit.history[1].uptme",
		    "exit.history[1] has no member \"uptme\", did you mean \"uptime\"?" },
		{ "exit.history[2].cause = 1", "exit.history[2] is read-only" },
		{ "x = vmrun.exce", "vmrun has no member \"exce\", did you mean \"exec\"?" },
		{ "x = vmrun.host.relase",
		    "vmrun.host has no member \"relase\", did you mean \"release\"?" },
		{ "vmrun.host.os = 'x'", "vmrun.host is read-only" },
		{ "local a = vmrun.boot() a.target = 'x'",
		    "what vmrun.boot() returns is read-only" },
	};

	for (size_t i = 0; i < sizeof(typos) / sizeof(*typos); i++) {
		MEM_AUTO char *text = mem_format("vm.lua:1: %s", typos[i].text);

		answers_badly(*state, typos[i].code, text);
	}
	answers(*state,
	    "assert(exit.signal == nil and exit.ended_by == nil and exit.history[2].status == nil "
	    "and exit.history[9] == nil and exit[1] == nil and vmrun[1] == nil) "
	    "for _ in ipairs(exit) do end "
	    "vmrun.mine = 1 assert(vmrun.mine == 1)",
	    "nil");
}

static void test_boot(void **state)
{
	load_lua(*state,
	    "return { on_start = function(boot) "
	    "local ok, why = pcall(function() return boot.tagret end) "
	    "assert(not ok and why:find('boot has no member \"tagret\", did you mean '), why) "
	    "ok, why = pcall(function() boot.vm = 1 end) "
	    "assert(not ok and why:find('boot is read%-only'), why) "
	    "assert(boot.vm == 'x' and boot.pid == nil and boot.previous_cause == nil) "
	    "local n = 0 for k in pairs(boot) do n = n + 1 end assert(n == 1) end }");
	expect_boot(*state, "default", "problems", "{}");
	expect(*state, "hooks", "{ name = 'on_start' }", "{ 'on_start of vm.lua' }");
	expect(*state, "call", "{ name = 'on_start', index = 1, argument = { vm = 'x' } }", "nil");
}

static void test_start_and_end(void **state)
{
	struct script *s = *state;

	load_lua(s,
	    "return { on_start = function(b) if b.n == 1 then return false, 'full moon' end "
	    "return b.n == 3 and false end, on_end = function(r) print(r.n) return 5 end }");
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_start' }", "{ 'on_start of vm.lua' }");
	expect(s, "hooks", "{ name = 'on_end' }", "{ 'on_end of vm.lua' }");
	expect(s, "call", "{ name = 'on_start', index = 1, argument = { n = 1 } }",
	    "{ refused = true, reason = 'full moon' }");
	expect(s, "call", "{ name = 'on_start', index = 1, argument = { n = 3 } }",
	    "{ refused = true }");
	load_lua(s,
	    "return { on_start = function(b) end, on_end = function(r) print(r.n) return 5 end }");
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_start' }", "{ 'on_start of vm.lua' }");
	expect(s, "hooks", "{ name = 'on_end' }", "{ 'on_end of vm.lua' }");
	expect(s, "call", "{ name = 'on_start', index = 1, argument = { n = 2 } }", "nil");
	str_free(&support_log);
	expect(s, "call", "{ name = 'on_end', index = 1, argument = { n = 2 } }", "nil");
	assert_string_equal(support_log.text, "info: 2\n");
	load_lua(s, "return { on_start = function(b) return vmrun.boot('x') end }");
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_start' }", "{ 'on_start of vm.lua' }");
	expect_error(s, "call", "{ name = 'on_start', index = 1, argument = { n = 1 } }",
	    "on_start returned vmrun.boot(), an answer for on_exit; expected a target, false and a "
	    "reason, or nothing");
}

/* The argument `boot` of each hook, and all in it, cannot be written. */
static void test_boot_is_read_only(void **state)
{
	static const char *const writes[] = { "boot.vm = 1", "boot.spec.mem = 1",
		"boot.devices.com1.tty = 1", "boot.spec.emulations[1].slot = 1" };
	struct script *s = *state;

	for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++) {
		char text[512];

		(void)snprintf(text, sizeof(text),
		    "local function f(boot) assert(boot.devices.com1.tty == 't') "
		    "assert(boot.spec.emulations[1].slot == 's') %s end "
		    "return { on_start = f, on_started = f, "
		    "on_prepare = function(spec, boot) f(boot) end }",
		    writes[i]);
		load_lua(s, text);
		expect_boot(s, "default", "problems", "{}");
#define BOOT "{ devices = { com1 = { tty = 't' } }, spec = { emulations = { { slot = 's' } } } }"
		expect(s, "hooks", "{ name = 'on_start' }", "{ 'on_start of vm.lua' }");
		expect_error(s, "call", "{ name = 'on_start', index = 1, argument = " BOOT " }",
		    "vm.lua:1: boot is read-only\nstack traceback:");
		expect(s, "hooks", "{ name = 'on_started' }", "{ 'on_started of vm.lua' }");
		expect_error(s, "call", "{ name = 'on_started', index = 1, argument = " BOOT " }",
		    "vm.lua:1: boot is read-only\nstack traceback:");
		expect(s, "hooks", "{ name = 'on_prepare' }", "{ 'on_prepare of vm.lua' }");
		expect_error(s, "call",
		    "{ name = 'on_prepare', index = 1, argument = { boot = " BOOT " } }",
		    "vm.lua:1: boot is read-only\nstack traceback:");
	}
}

/*
 * A view has nothing that the original of next(), which pairs() returns, or a library in C could
 * hand out: neither what it shows nor a key of vmrun's own.
 */
static void test_views_are_empty(void **state)
{
	struct script *s = *state;

	load_lua(s,
	    "local raw = pairs({}) "
	    "local function check(name, view) "
	    "assert(type(view) == 'table' and raw(view) == nil, name) "
	    "assert(getmetatable(view) == false and not pcall(setmetatable, view, {}), name) end "
	    "return { on_exit = function(exit) "
	    "local all = { exit = exit, count = exit.count, history = exit.history, "
	    "past = exit.history[1], host = vmrun.host, args = vmrun.args } "
	    "for name, view in pairs(all) do check(name, view) for k in pairs(view) do end "
	    "check(name, view) end end, "
	    "on_start = function(boot) check('boot', boot) check('spec', boot.spec) "
	    "check('empty', boot.spec.empty) assert(next(boot.spec) == 'empty') end }");
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit' }", "{ 'on_exit of vm.lua' }");
	expect(s, "call",
	    "{ name = 'on_exit', index = 1, argument = { cause = 'reboot', count = { reboot = 1 }, "
	    "now = 5, history = '1\\nreboot\\n0\\n\\n1\\n\\ndefault\\n' } }",
	    "nil");
	expect(s, "hooks", "{ name = 'on_start' }", "{ 'on_start of vm.lua' }");
	expect(s, "call", "{ name = 'on_start', index = 1, argument = { spec = { empty = {} } } }",
	    "nil");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_order),
		SUPPORT_TEST(test_hook_files),
		SUPPORT_TEST(test_boot_is_read_only),
		SUPPORT_TEST(test_views_are_empty),
		SUPPORT_TEST(test_answers),
		SUPPORT_TEST(test_place_of_a_tail_call),
		SUPPORT_TEST(test_bad_answers),
		SUPPORT_TEST(test_exit),
		SUPPORT_TEST(test_prepare),
		SUPPORT_TEST(test_lost_changes),
		SUPPORT_TEST(test_typos),
		SUPPORT_TEST(test_boot),
		SUPPORT_TEST(test_start_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
