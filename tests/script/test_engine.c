/* Loading, targets, and the place of a value. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void test_lua_files(void **state)
{
	struct script *s = *state;

	load_lua(s, "\xEF\xBB\xBF#!/usr/local/bin/vmrun\nlocal vm = { name = 'a' }\nreturn vm, 2");
	expect_boot(s, "default", "spec", "{ name = 'a' }");
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
	/* The previous document stays when a file cannot be loaded. */
	expect_boot(s, "default", "spec", "{ name = 'a' }");
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

static void test_json(void **state)
{
	struct script *s = *state;

	load_json(s,
	    "{\"a\": 1, \"b\": 2.5, \"c\": [1, null], \"d\": {\"x\": [], \"y\": {}}, "
	    "\"e\": 9007199254740993, \"f\": 18446744073709551616, \"g\": \"x\\u0000y\"}",
	    "{ { path = { 'd', 'x' }, kind = 'list' }, { path = { 'd', 'y' }, kind = 'object' }, "
	    "{ path = { 'e' }, kind = 'integer', text = '9007199254740993' }, "
	    "{ path = { 'f' }, kind = 'integer', text = '18446744073709551616' } }");
	expect_boot(s, "default", "spec",
	    "{ a = 1, b = 2.5, c = { 1, null }, d = { x = list, y = object }, "
	    "e = 9007199254740993, f = '18446744073709551616', g = 'x\\0y' }");
	load_json(s, "{\"l\": [[], [{}]]}",
	    "{ { path = { 'l', 1 }, kind = 'list' }, { path = { 'l', 2, 1 }, kind = 'object' } }");
	expect_boot(s, "default", "spec", "{ l = { list, { object } } }");
	load_json(s, "{}", "{ { path = list, kind = 'object' } }");
	expect_boot(s, "default", "spec", "{}");
}

static void test_json_errors(void **state)
{
	struct script *s = *state;
#define JSON(text) "{ format = 'json', name = 'vm.json', directory = '/', text = '" text "' }"

	expect_error(s, "load", JSON("[1]"), "vm.json: a spec is an object: { \"name\": ... }");
	expect_error(s, "load", JSON("3"), "vm.json: a spec is an object");
	expect_error(s, "load", JSON("null"), "vm.json: a spec is an object");
	expect_error(s, "load", JSON("{"), "vm.json: Expected object key string");
	expect_error(s, "load", JSON("{\"a\": nan}"), "vm.json: Expected value but found invalid");
	expect_error(s, "load",
	    "{ format = 'json', name = 'vm.json', directory = '/', text = '[]', "
	    "notes = { { path = list, kind = 'list' } } }",
	    "vm.json: a spec is an object");
}

static void test_targets(void **state)
{
	struct script *s = *state;

	load_lua(s, "return { targets = { b = {}, a = {}, default = {} } }");
	expect(s, "targets", "nil", "{ names = { 'a', 'b', 'default' }, problems = {} }");
	load_lua(s, "return {}");
	expect(s, "targets", "nil", "{ names = { 'default' }, problems = {} }");
	load_lua(s, "return { targets = 3, extends = 'x' }");
	expect(s, "targets", "nil",
	    "{ names = { 'default' }, problems = { { path = { 'extends' }, "
	    "text = 'only a target can extend another' }, { path = { 'targets' }, "
	    "text = 'expected an object of targets, got a number' } } }");
	load_lua(s, "return { targets = { {}, {} } }");
	expect(s, "targets", "nil",
	    "{ names = { 'default' }, problems = { { path = { 'targets' }, "
	    "text = 'expected an object of targets, got a list' } } }");
	load_lua(
	    s, "return { targets = { a = 1, b = { name = 'x', targets = {} }, [true] = {} } }");
	expect(s, "targets", "nil",
	    "{ names = { 'a', 'b', 'default' }, problems = { { path = { 'targets' }, "
	    "text = 'the name of a target is a string, not a boolean' }, "
	    "{ path = { 'targets', 'a' }, text = 'expected an object, got a number' }, "
	    "{ path = { 'targets', 'b', 'name' }, text = 'name cannot be in a target' }, "
	    "{ path = { 'targets', 'b', 'targets' }, text = 'targets cannot be in a target' } } }");
}

static void finds(struct script *s, const char *path, const char *source, const char *where)
{
	MEM_AUTO char *request = mem_format("{ path = %s }", path);
	MEM_AUTO char *answer = mem_format("{ source = '%s', path = %s }", source, where);

	expect(s, "locate", request, answer);
}

static const char located[] =
    "local shared = { device = 'virtio-rnd' }\n"
    "return { name = 'x', cpu = { threads = 1, cores = 2 }, mem = '1G', numa = { { id = 0 } },\n"
    "  emulations = { shared, { id = 'd', device = 'virtio-blk', path = 'a', ro = true } },\n"
    "  targets = {\n"
    "    mid = { cpu = { cores = 4 }, emulations = { shared, { id = 'd', path = 'b' } } },\n"
    "    top = { extends = 'mid', cpu = { threads = 2 }, mem = vmrun.null, com1 = 'stdio',\n"
    "      emulations = { { id = 'd', ro = vmrun.null }, { device = 'nvme', path = 'n' } } },\n"
    "  } }";

static void test_locate(void **state)
{
	struct script *s = *state;

	expect(s, "configure", "{ merge = { cpu = {}, bhyve = {} } }", "nil");
	load_lua(s, located);
	finds(s, "{ 'targets', 'mid', 'cpu', 'cores' }", "file",
	    "{ 'targets', 'mid', 'cpu', 'cores' }");
	expect_boot(s, "top", "problems", "{}");
	finds(s, "list", "file", "{}");
	finds(s, "{ 'name' }", "file", "{ 'name' }");
	finds(s, "{ 'com1' }", "file", "{ 'targets', 'top', 'com1' }");
	finds(s, "{ 'com2' }", "file", "{}");
	finds(s, "{ 'cpu' }", "file", "{ 'cpu' }");
	finds(s, "{ 'cpu', 'cores' }", "file", "{ 'targets', 'mid', 'cpu', 'cores' }");
	finds(s, "{ 'cpu', 'threads' }", "file", "{ 'targets', 'top', 'cpu', 'threads' }");
	finds(s, "{ 'cpu', 'sockets' }", "file", "{ 'cpu' }");
	/* The place of a key that a target unsets is in that target. */
	finds(s, "{ 'mem' }", "file", "{ 'targets', 'top', 'mem' }");
	finds(s, "{ 'numa', 1, 'id' }", "file", "{ 'numa', 1, 'id' }");
	finds(s, "{ 'emulations' }", "file", "{ 'emulations' }");
	/* The same Lua table is used at two places. */
	finds(s, "{ 'emulations', 1, 'device' }", "file", "{ 'emulations', 1, 'device' }");
	finds(s, "{ 'emulations', 3, 'device' }", "file",
	    "{ 'targets', 'mid', 'emulations', 1, 'device' }");
	finds(s, "{ 'emulations', 2 }", "file", "{ 'emulations', 2 }");
	finds(s, "{ 'emulations', 2, 'device' }", "file", "{ 'emulations', 2, 'device' }");
	finds(s, "{ 'emulations', 2, 'path' }", "file",
	    "{ 'targets', 'mid', 'emulations', 2, 'path' }");
	finds(
	    s, "{ 'emulations', 2, 'ro' }", "file", "{ 'targets', 'top', 'emulations', 1, 'ro' }");
	finds(s, "{ 'emulations', 2, 'ser' }", "file", "{ 'emulations', 2 }");
	finds(s, "{ 'emulations', 4, 'path' }", "file",
	    "{ 'targets', 'top', 'emulations', 2, 'path' }");
	finds(s, "{ 'emulations', 9, 'path' }", "file", "{ 'emulations' }");
	/* Problems of the merge itself name places in the file. */
	finds(s, "{ 'targets', 'top', 'extends' }", "file", "{ 'targets', 'top', 'extends' }");
	finds(s, "{ 'targets', 'none', 'mem' }", "file", "{ 'targets' }");
}

/* A replaced value is never the place of a value. */
static void test_locate_replaced(void **state)
{
	struct script *s = *state;

	expect(s, "configure", "{ merge = { cpu = {} } }", "nil");
	load_lua(s,
	    "return { cpu = { cores = 1 }, targets = { a = { cpu = 2 }, "
	    "b = { extends = 'a', cpu = { threads = 3 } }, c = { extends = 'b', cpu = vmrun.null "
	    "}, "
	    "d = { extends = 'c', cpu = { sockets = 4 } } } }");
	expect_boot(s, "b", "spec", "{ cpu = { threads = 3 } }");
	finds(s, "{ 'cpu' }", "file", "{ 'targets', 'b', 'cpu' }");
	finds(s, "{ 'cpu', 'cores' }", "file", "{ 'targets', 'b', 'cpu' }");
	expect_boot(s, "d", "spec", "{ cpu = { sockets = 4 } }");
	finds(s, "{ 'cpu' }", "file", "{ 'targets', 'd', 'cpu' }");
	finds(s, "{ 'cpu', 'threads' }", "file", "{ 'targets', 'd', 'cpu' }");
}

static void test_locate_settings(void **state)
{
	struct script *s = *state;

	load_lua(s, located);
	expect(s, "configure", "{ merge = { cpu = {}, bhyve = {} } }", "nil");
	expect(s, "boot",
	    "{ target = 'default', set = { { key = 'cpu.cores', value = 8 }, "
	    "{ key = 'bhyve.release', value = 14 }, { key = 'fwcfg', value = { { a = 1 } } }, "
	    "{ key = 'emulations[1].path', value = 'z' }, { key = 'mem', value = null } } }",
	    "{ base_devices = 2, removed = {}, problems = {}, spec = { name = 'x', "
	    "cpu = { threads = 1, cores = 8 }, numa = { { id = 0 } }, fwcfg = { { a = 1 } }, "
	    "bhyve = { release = 14 }, emulations = { { device = 'virtio-rnd' }, "
	    "{ id = 'd', device = 'virtio-blk', path = 'z', ro = true } } } }");
	finds(s, "{ 'cpu', 'cores' }", "set", "{ 'cpu', 'cores' }");
	finds(s, "{ 'cpu', 'threads' }", "file", "{ 'cpu', 'threads' }");
	finds(s, "{ 'mem' }", "set", "{ 'mem' }");
	finds(s, "{ 'bhyve', 'release' }", "set", "{ 'bhyve', 'release' }");
	finds(s, "{ 'bhyve', 'arch' }", "set", "{ 'bhyve', 'release' }");
	finds(s, "{ 'fwcfg', 1, 'a' }", "set", "{ 'fwcfg' }");
	finds(s, "{ 'emulations', 2, 'path' }", "set", "{ 'emulations', 2, 'path' }");
	finds(s, "{ 'emulations', 2, 'ro' }", "file", "{ 'emulations', 2, 'ro' }");
	/* The settings do not apply to the next boot. */
	expect_boot(s, "default", "problems", "{}");
	finds(s, "{ 'cpu', 'cores' }", "file", "{ 'cpu', 'cores' }");
}

static void cannot_set(struct script *s, const char *key, const char *path, const char *text)
{
	MEM_AUTO char *value =
	    mem_format("{ target = 'default', set = { { key = '%s', value = 1 } } }", key);
	MEM_AUTO char *wanted = mem_format("{ { path = %s, text = '%s' } }", path, text);
	struct node *request = node_of(value), *result = NULL, *problems = node_of(wanted);
	struct error err = { 0 };

	if (script_call(s, "boot", request, &result, &err) != 0)
		fail_msg("%s", err.text);
	MEM_AUTO char *got = node_show(node_get(result, "problems"));
	MEM_AUTO char *expected = node_show(problems);

	assert_string_equal(got, expected);
	finds(s, path, "set", path);
	node_free(request);
	node_free(result);
	node_free(problems);
}

static void test_bad_settings(void **state)
{
	static const char no_key[] =
	    "invalid key: expected one such as cpu.cores or emulations[0].path";
	static const char *const keys[][2] = { { ".a", "{ '.a' }" }, { "a.", "{ 'a.' }" },
		{ "a..b", "{ 'a..b' }" }, { "[0]", "{ '[0]' }" }, { "a[x]", "{ 'a[x]' }" },
		{ "a[-1]", "{ 'a[-1]' }" }, { "a[0", "{ 'a[0' }" }, { "a[0]b", "{ 'a[0]b' }" },
		{ "", "{ '' }" } };
	struct script *s = *state;

	load_lua(s, located);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		cannot_set(s, keys[i][0], keys[i][1], no_key);
	cannot_set(s, "mem.size", "{ 'mem', 'size' }", "mem is a string and has no keys");
	cannot_set(s, "cpu[0]", "{ 'cpu', 1 }", "cpu is not a list");
	cannot_set(s, "emulations[2].path", "{ 'emulations', 3 }",
	    "emulations has 2 entries, counted from 0");
	cannot_set(
	    s, "emulations.7", "{ 'emulations', 8 }", "emulations has 2 entries, counted from 0");
	cannot_set(s, "emulations.path", "{ 'emulations', 'path' }",
	    "emulations is a list: name an entry, as in emulations[0]");
	cannot_set(s, "targets.mid.mem", "{ 'targets' }",
	    "--set changes the merged spec, which has no targets");
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
	finds(s, "{ 'cpu', 'b' }", "file", "{ 'targets', 'u', 'cpu', 'b' }");
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

	assert_int_equal(script_call(s, "lode", NULL, &result, &err), -1);
	assert_int_equal(err.status, STATUS_BUG);
	assert_non_null(strstr(err.text, "no function lode"));
	error_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_lua_files),
		SUPPORT_TEST(test_traceback_is_the_users),
		SUPPORT_TEST(test_json),
		SUPPORT_TEST(test_json_errors),
		SUPPORT_TEST(test_targets),
		SUPPORT_TEST(test_locate),
		SUPPORT_TEST(test_locate_replaced),
		SUPPORT_TEST(test_locate_settings),
		SUPPORT_TEST(test_bad_settings),
		SUPPORT_TEST(test_ruined_globals),
		SUPPORT_TEST(test_unknown_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
