/* Loading, vmrun.merge(), and vmrun's own modules beside scripts. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void test_lua_files(void **state)
{
	struct script *s = *state;

	load_lua(s, "\xEF\xBB\xBF#!/usr/local/bin/vmrun\nlocal vm = { name = 'a' }\nreturn vm, 2");
	expect_boot(s, "default", "spec", "{ name = 'a' }");
	/* What a table inherits, such as methods, is not in the spec. */
	load_lua(s,
	    "local methods = { mem = 5 } methods.__index = methods "
	    "local function new(t) return setmetatable(t, methods) end "
	    "return new { name = 'm', targets = new { a = new { cpu = 1 }, b = { cpu = 2 } } }");
	expect_boot(s, "default", "spec", "{ name = 'm' }");
	expect_boot(s, "a", "spec", "{ name = 'm', cpu = 1 }");
	expect_boot(s, "b", "spec", "{ name = 'm', cpu = 2 }");
	load_error(s, "", "vm.lua: the file returned nothing; a spec file ends with \"return vm\"");
	load_error(s, "return nil", "vm.lua: the file returned nothing");
	load_error(s, "return 'x'", "vm.lua: the file returned a string; a spec file ends with");
	load_error(s, "return vmrun.null", "vm.lua: the file returned null; ");
	load_error(s, "\n\nname = = 1", "vm.lua:3: unexpected symbol near '='");
	load_error(s, "\x1bLua", "vm.lua: attempt to load a binary chunk");
	load_error(s, "#!/bin/sh\nlocal function f()\nerror('no ' .. 'way')\nend\nf()\n",
	    "vm.lua:3: no way\nstack traceback:\n\t[C]: in function 'error'\n"
	    "\tvm.lua:3: in local 'f'\n\tvm.lua:5: in ");
	load_error(s, "error('plain')", "vm.lua:1: plain\nstack traceback:");
}

/* A traceback has no frames of vmrun's own modules. */
static void test_traceback_is_the_users(void **state)
{
	struct script *s = *state;
	struct node *n = lua_file("error('x')");
	MEM_AUTO char *text = error_of(s, "load", n);

	assert_null(strstr(text, "[vmrun"));
	assert_string_equal(text,
	    "vm.lua:1: x\nstack traceback:\n\t[C]: in function 'error'\n"
	    "\tvm.lua:1: in main chunk");
	node_free(n);
}

static void test_merge_function(void **state)
{
	struct script *s = *state;

	load_lua(s,
	    "local a = { x = { y = { 1 }, z = 2 }, l = { 1, 2 }, u = 3 }\n"
	    "local b = { x = { z = vmrun.null, n = { m = vmrun.null, o = 1 } }, l = { 3 }, "
	    "u = vmrun.null }\n"
	    "local c = vmrun.merge(a, b)\n"
	    "assert(a.u == 3 and a.x.z == 2 and c.x ~= a.x and c.x.y ~= a.x.y and c.l ~= b.l)\n"
	    "return c");
	expect_boot(s, "default", "spec", "{ x = { y = { 1 }, n = { o = 1 } }, l = { 3 } }");
	load_error(
	    s, "vmrun.merge({ 1 }, {})", "vm.lua:1: vmrun.merge takes two tables with named keys");
	load_error(s, "vmrun.merge({})", "vm.lua:1: vmrun.merge takes two tables");
	load_error(s, "local t = {} t.t = t vmrun.merge(t, {})",
	    "nested deeper than 64 levels (does a table contain itself?)\nstack traceback:");
	load_error(s, "local t = {} t.t = t vmrun.merge({}, t)", "nested deeper than 64 levels");
}

/* vmrun works whatever a script does to its globals. */
static void test_ruined_globals(void **state)
{
	struct script *s = *state;

	load_lua(s,
	    "local vm = { targets = { t = { extends = 'tt', cpu = { a = 1 } }, "
	    "u = { cpu = { b = 1 }, emulations = { { id = 'x', remove = true } } } } }\n"
	    "function vm.on_exit(exit) return not exit.signal and stop(3) end\n"
	    "stop = vmrun.stop\n"
	    "for _, library in pairs { string, table, math, coroutine, os, io, package, _G } do\n"
	    "  for name in next, library do if name ~= 'stop' then library[name] = nil end end\n"
	    "end\n"
	    "return vm");
	expect(s, "targets", "nil", "{ names = { 'default', 't', 'u' }, problems = {} }");
	expect_boot(s, "u", "problems",
	    "{ { path = { 'targets', 'u', 'emulations', 1, 'id' }, "
	    "text = 'no device has the id \"x\"' } }");
	expect(s, "locate", "{ path = { 'cpu', 'b' } }",
	    "{ source = 'file', path = { 'targets', 'u', 'cpu', 'b' } }");
	expect_boot(s, "t", "problems",
	    "{ { path = { 'targets', 't', 'extends' }, text = "
	    "'unknown target \"tt\", did you mean \"t\"? (known: default, t, u)' } }");
	expect(s, "boot", "{ target = 'default', set = { { key = 'a', value = 1 } } }",
	    "{ base_devices = 0, problems = {}, removed = {}, spec = { a = 1, on_exit = f } }");
	expect(s, "hooks", "{ name = 'on_exit' }", "{ 'on_exit of vm.lua' }");
	expect(s, "call", "{ name = 'on_exit', index = 1, argument = {} }",
	    "{ action = 'stop', status = 3 }");
}

static void test_unknown_function(void **state)
{
	struct script *s = *state;
	struct error err = { 0 };
	struct node *result = NULL;

	assert_int_equal(engine_call(s, "lode", NULL, &result, &err), -1);
	assert_int_equal(err.status, STATUS_BUG);
	assert_non_null(strstr(err.text, "no function lode"));
	error_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_lua_files),
		SUPPORT_TEST(test_traceback_is_the_users),
		SUPPORT_TEST(test_merge_function),
		SUPPORT_TEST(test_ruined_globals),
		SUPPORT_TEST(test_unknown_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
