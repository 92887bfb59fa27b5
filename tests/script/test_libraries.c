/* What scripts must not do, and that the rest of Lua is available. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/sandbox.h"
#include "script/libraries.h"
#include "script/script_internal.h"

static void test_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "setmetatable({}, { __gc = function() end })",
		    "vm.lua:1: __gc cannot be set here" },
		{ "setmetatable({}, { __gc = true })", "vm.lua:1: __gc cannot be set here" },
		{ "setmetatable(setmetatable({}, { __metatable = 1 }), {})",
		    "vm.lua:1: cannot change a protected metatable" },
		{ "setmetatable(1, {})",
		    "vm.lua:1: bad argument #1 to 'setmetatable' (table expected" },
		{ "setmetatable({}, 1)",
		    "vm.lua:1: bad argument #2 to 'setmetatable' (nil or table" },
		{ "getmetatable(io.stdout).__gc = print",
		    "vm.lua:1: attempt to index a boolean value" },
		{ "xpcall(print, function() end)", "vm.lua:1: xpcall takes no other handler" },
		{ "xpcall(print, print)", "vm.lua:1: xpcall takes no other handler" },
		{ "xpcall(print)", "vm.lua:1: bad argument #2 to 'xpcall' (function expected" },
		{ "debug.traceback = function() end xpcall(error, debug.traceback)",
		    "vm.lua:1: xpcall takes no other handler" },
		{ "debug.sethook()", "vm.lua:1: attempt to call a nil value (field 'sethook')" },
		{ "debug.getregistry()", "vm.lua:1: attempt to call a nil value" },
		{ "debug.setmetatable({}, {})", "vm.lua:1: attempt to call a nil value" },
		{ "debug.setuservalue(io.stdout, 1)", "vm.lua:1: attempt to call a nil value" },
		{ "debug.getupvalue(vmrun.boot, 1)", "vm.lua:1: attempt to call a nil value" },
		{ "load('return 1', '=[vmrun hooks]')",
		    "vm.lua:1: bad argument #2 to 'load' (vmrun reserves this name)" },
		{ "load()",
		    "vm.lua:1: bad argument #1 to 'load' (function expected, got no value)" },
		{ "load({})",
		    "vm.lua:1: bad argument #1 to 'load' (function expected, got table)" },
		{ "string.dump(print)", "vm.lua:1: attempt to call a nil value" },
		{ "os.exit()",
		    "vm.lua:1: os.exit would end the supervisor: "
		    "return vmrun.stop(status) from on_exit" },
		{ "os.exit(true, true)", "vm.lua:1: os.exit would end the supervisor" },
		{ "io.stdout:close() error('still open')", "vm.lua:1: still open" },
		{ "vmrun.env.HOME = '/'", "vm.lua:1: vmrun.env is read-only" },
		{ "require 'no_such_module'", "vm.lua:1: module 'no_such_module' not found:" },
		{ "coroutine.create(1)",
		    "vm.lua:1: bad argument #1 to 'create' (function expected" },
		{ "coroutine.wrap()", "vm.lua:1: bad argument #1 to 'wrap' (function expected" },
		{ "coroutine.wrap(error)('x')", "x" },
		{ "coroutine.wrap(function() error({}) end)()", "(error object is a table value)" },
	};
	struct script *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		load_error(s, cases[i][0], cases[i][1]);
}

/* Chunks that must run without an error. */
static const char *const chunks[] = {
	"local ok, e = xpcall(error, debug.traceback, 'x') assert(not ok and "
	"e:find('^x\\nstack'))",
	"local a, b = xpcall(function(...) return ... end, debug.traceback, 1, 2) assert(b "
	"== 1)",
	"local t = setmetatable({}, { __index = { a = 1 } }) assert(t.a == 1)",
	"local t = setmetatable({}, {}) assert(setmetatable(t, nil) == t and not "
	"getmetatable(t))",
	"assert(load('return ...', 'x', 't')(7) == 7)",
	"assert(load('return a', 'x', 'bt', { a = 8 })() == 8)",
	"assert(load('return a', nil, nil, { a = 9 })() == 9)",
	"local n = 0 assert(load(function() n = n + 1 return ({ 'return ', '5' })[n] "
	"end)() == 5)",
	"local f, e = load('\\27Lua') assert(not f and e:find('binary'))",
	"local f, e = load('\\27Lua', 'x', 'b') assert(not f and e == 'bytecode is not "
	"loaded here')",
	"local f, e = load('return 1', 'x', 'b') assert(not f and e)",
	"local f, e = load('x x x') assert(not f and e:find('syntax error'))",
	"local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) return b "
	"* 2 end) "
	"local ok, x = coroutine.resume(co, 1) assert(ok and x == 2) "
	"assert(coroutine.status(co) == 'suspended') "
	"ok, x = coroutine.resume(co, 21) assert(ok and x == 42) "
	"assert(coroutine.status(co) == 'dead') "
	"ok, x = coroutine.resume(co) assert(not ok and x == 'cannot resume dead "
	"coroutine')",
	"local w = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) "
	"assert(w() == 1 and w() == 2 and w() == 3 and w() == nil)",
	"local co = coroutine.create(function() error('boom') end) "
	"local ok, e = coroutine.resume(co) assert(not ok and e == 'vm.lua:1: boom') "
	"assert(coroutine.close(co) == false or true)",
	"local co = coroutine.create(function() error({ code = 7 }) end) "
	"local ok, e = coroutine.resume(co) assert(not ok and e.code == 7)",
	"local n = 0 local co = coroutine.create(function() "
	"local x <close> = setmetatable({}, { __close = function() n = n + 1 end }) "
	"coroutine.yield() end) coroutine.resume(co) assert(coroutine.close(co) and n == "
	"1)",
	"local co = coroutine.wrap(function() return pcall(function() coroutine.yield(1) "
	"error('late', 0) end) end) assert(co() == 1) local ok, e = co() assert(e == "
	"'late')",
	"local co = coroutine.wrap(function() return xpcall(function() coroutine.yield(1) "
	"return 3 end, debug.traceback) end) assert(co() == 1) local ok, e = co() assert(e "
	"== 3)",
	"assert(coroutine.isyieldable() and not select(2, coroutine.running()))",
	"assert(os.setlocale() == 'C' and os.setlocale('de_DE') == nil)",
	"assert(os.time() and os.date() and os.clock() and os.getenv('PATH'))",
	"assert(os.execute('exit 3') == nil)",
	"local p = io.popen('echo hello') assert(p:read('a') == 'hello\\n') p:close()",
	"local f = assert(io.open('/etc/passwd')) assert(f:read('l')) for l in f:lines() "
	"do end f:close()",
	"for l in io.lines('/etc/passwd') do assert(l) break end",
	"local f = io.tmpfile() f:write('a', 1, 2.5) f:seek('set') assert(f:read('a') == "
	"'a12.5')",
	"local f = io.tmpfile() io.output(f) assert(io.write('x') == f) "
	"io.output(io.stdout)",
	"assert(utf8.char(8364) == '\\u{20AC}' and math.pi and table.concat({ 1, 2 }) == "
	"'12')",
	"assert(debug.getinfo(1, 'l').currentline == 1 and debug.getinfo(print).what == "
	"'C')",
	"local function me() return debug.getinfo(1, 'nf') end local i = me() "
	"assert(i.func == me)",
	"assert(require('vmrun') == vmrun and require('string') == string)",
	"collectgarbage() collectgarbage('step') assert(collectgarbage('count') > 1)",
	"assert(_VERSION == 'Lua 5.4' and _G._G == _G)",
};

static void test_still_there(void **state)
{
	struct script *s = *state;

	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++) {
		MEM_AUTO char *text = mem_format("%s return {}", chunks[i]);

		load_lua(s, text);
	}
}

/* A script must not find an original function on the stack while it runs in a wrapper. */
static void test_originals_are_out_of_sight(void **state)
{
	static const char chunk[] =
	    "local seen = {}\n"
	    "local function look(where)\n"
	    "  for level = 0, 12 do\n"
	    "    local i = debug.getinfo(level, 'fS')\n"
	    "    if i and i.what == 'C' and i.func then seen[#seen + 1] = where end\n"
	    "    i = debug.getinfo(coroutine.running(), level, 'f')\n"
	    "    if i and i.func and debug.getinfo(i.func).what == 'C' then seen[#seen + 1] = "
	    "where end\n"
	    "  end\n"
	    "end\n"
	    "xpcall(look, debug.traceback, 'xpcall')\n"
	    "load(function() look('load') end)\n"
	    "coroutine.wrap(look)('wrap')\n"
	    "coroutine.resume(coroutine.create(look), 'create')\n"
	    "table.sort({ 2, 1 }, function() look('sort') end)\n"
	    "setmetatable({}, { __index = function() look('index') end })[1] = nil\n"
	    "return { seen = table.concat(seen, ',') }";
	struct script *s = *state;

	load_lua(s, chunk);
	expect_boot(s, "default", "spec", "{ seen = '' }");
}

/* Scripts cannot reach metatables with __gc, including those of the engine. */
static void test_metatables_are_out_of_sight(void **state)
{
	static const char chunk[] =
	    "for _, v in ipairs { io.stdout, io.tmpfile(), vmrun.boot(), vmrun.env } do\n"
	    "  assert(type(getmetatable(v)) ~= 'table')\n"
	    "  assert(not pcall(setmetatable, v, {}))\n"
	    "end\n"
	    "assert(getmetatable('') == false and ('x'):rep(2) == 'xx')\n"
	    "return {}";
	struct script *s = *state;

	load_lua(s, chunk);
	boots_load_json(s, "{\"a\": [], \"hooks\": {}}");
	expect(s, "boot", "{ target = 'default' }",
	    "{ spec = { a = list, hooks = object }, base_devices = 0, removed = {}, problems = {} "
	    "}");
}

static void refused_in_hook(struct script *s, const char *code, const char *what)
{
	MEM_AUTO char *chunk = mem_format("return { on_exit = function() %s end }", code);
	MEM_AUTO char *text = mem_format(
	    "vm.lua:1: %s inside a hook would stop the supervisor while it waits: use vmrun.exec",
	    what);

	load_lua(s, chunk);
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit' }", "{ 'on_exit of vm.lua' }");
	expect_error(s, "call", "{ name = 'on_exit', index = 1, argument = {} }", text);
}

static void test_blocking_in_hooks(void **state)
{
	struct script *s = *state;

	refused_in_hook(s, "os.execute('true')", "os.execute");
	refused_in_hook(s, "io.popen('true')", "io.popen");
	refused_in_hook(s, "io.read()", "reading stdin");
	refused_in_hook(s, "io.lines()", "reading stdin");
	refused_in_hook(s, "io.stdin:read('a')", "reading stdin");
	refused_in_hook(s, "io.stdin:lines()", "reading stdin");
	refused_in_hook(s, "dofile()", "reading stdin");
	refused_in_hook(s, "loadfile()", "reading stdin");
	/* Functions that read files work. */
	load_lua(s,
	    "return { on_exit = function() io.input('/etc/passwd') assert(io.read()) "
	    "for l in io.lines() do end io.input(io.stdin) return false end }");
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit' }", "{ 'on_exit of vm.lua' }");
	expect(s, "call", "{ name = 'on_exit', index = 1, argument = {} }", "{ action = 'stop' }");
}

static void test_output(void **state)
{
	struct script *s = *state;

	str_free(&support_log);
	load_lua(s,
	    "print('a', 1, nil, true) print()\n"
	    "print(setmetatable({}, { __tostring = function() return 'tos' end }))\n"
	    "io.write('x'):write(1) io.stdout:write('y', 2.5, '\\nsecond'):write(' line')\n"
	    "vmrun.log('warning', 'w') return {}");
	assert_string_equal(support_log.text,
	    "info: a\t1\tnil\ttrue\ninfo: tos\ninfo: x1y2.5\nwarning: w\ninfo: second line\n");
	str_free(&support_log);
	load_lua(s, "io.write(('x'):rep(5000)) io.write(('y'):rep(4000)) return {}");
	assert_int_equal(support_log.length, 9000 + 3 * strlen("info: \n"));
	load_error(
	    s, "io.write({})", "vm.lua:1: bad argument #1 to 'write' (string expected, got table)");
	load_lua(s,
	    "local ok, why = pcall(io.stdout.write, 'x')\n"
	    "assert(not ok and why:find('FILE* expected, got string', 1, true)) return {}");
	load_error(s, "print(setmetatable({}, { __tostring = function() return {} end }))",
	    "vm.lua:1: '__tostring' must return a string");
}

/* Opening the libraries leaves what is on the stack, and pushes the three tables of the world. */
static void test_stack_of_opening(void **state)
{
	struct sandbox *sandbox = sandbox_new("/specs", NULL);

	(void)state;
	for (int confined = 0; confined <= 1; confined++) {
		struct script_options options = { .budget_ms = 60000,
			.memory_bytes = 64 * MIB,
			.sandbox = confined == 1 ? sandbox : NULL };
		struct script *s = NULL;
		struct error err = { 0 };

		assert_int_equal(script_new(&s, &options, &err), 0);
		script_call_begin(s, 0);
		lua_pushliteral(s->L, "mine");
		libraries_open_world(s->L);
		assert_int_equal(lua_gettop(s->L), 4);
		assert_string_equal(lua_tostring(s->L, 1), "mine");
		assert_int_equal(lua_getfield(s->L, 2, "string"), LUA_TTABLE);
		assert_true(lua_rawequal(s->L, 4, 5));
		lua_pop(s->L, 1);
		/* The same is true of a return to this world from another one. */
		libraries_open_world(s->L);
		lua_pop(s->L, 3);
		libraries_use_world(s->L);
		assert_int_equal(lua_gettop(s->L), 1);
		script_free(s);
	}
	sandbox_free(sandbox);
}

static void write_file(const char *directory, const char *name, const char *text, size_t length)
{
	MEM_AUTO char *path = mem_format("%s/%s", directory, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, length, f), length);
	assert_int_equal(fclose(f), 0);
}

/* Loads a spec that reads files; Lua's own functions start from the process's directory. */
static void load_files(struct script *s, const char *directory, const char *body)
{
	MEM_AUTO char *text = mem_format("%s return {}", body);
	char before[4096];

	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(directory), 0);
	load_lua(s, text);
	assert_int_equal(chdir(before), 0);
}

static void test_files_beside(void **state)
{
	struct script *s = *state;
	char directory[] = "/tmp/vmrun-test-XXXXXX";
	static const char *const names[] = { "lib.lua", "part.lua", "bad.lua", "bytes.lua",
		"yields.lua", "shell.lua" };
	struct node *n = lua_file("local lib = require 'lib'\n"
				  "assert(require 'lib' == lib and vmrun.exists('lib.lua'))\n"
				  "assert(not vmrun.exists('nothing') and vmrun.exists('/'))\n"
				  "for _, name in ipairs { 'bad', 'bytes' } do\n"
				  "  local ok, e = pcall(require, name) print(e)\n"
				  "  ok, e = pcall(vmrun.include, name .. '.lua') print(e)\n"
				  "end\n"
				  "return { lib = lib, part = vmrun.include('part.lua') }");
	struct node *result = NULL;
	struct error err = { 0 };

	assert_non_null(mkdtemp(directory));
	write_file(directory, "lib.lua", "return { x = ... }", 18);
	write_file(directory, "part.lua", "#!/bin/sh\nreturn { y = 2 }", 26);
	write_file(directory, "bad.lua", "return return", 13);
	write_file(directory, "yields.lua", "coroutine.yield('yielded') return 1, 2", 38);
	write_file(directory, "bytes.lua", "\x1bLuaR", 5);
	node_put(n, "directory", node_string(directory));
	str_free(&support_log);
	if (engine_call(s, "load", n, &result, &err) != 0)
		fail_msg("%s", err.text);
	expect_boot(s, "default", "spec", "{ lib = { x = 'lib' }, part = { y = 2 } }");
	assert_non_null(strstr(support_log.text, "bad.lua:1: unexpected symbol near 'return'"));
	assert_non_null(
	    strstr(support_log.text, "bytes.lua':\ninfo: \tattempt to load a binary chunk"));
	/* A "#!" line, byte order marks and environments work as in Lua. */
	write_file(directory, "shell.lua",
	    "\xef\xbb\xbf#!/bin/sh\nreturn x, debug.getinfo(1).currentline", 51);
	load_files(s, directory,
	    "local f = loadfile('shell.lua', 't', { x = 5, debug = debug })\n"
	    "local x, line = f() assert(x == 5 and line == 2)\n"
	    "_G.x = 6 x, line = dofile('shell.lua') assert(x == 6 and line == 2)\n"
	    "local no, why = loadfile('gone.lua') assert(not no and why:find('^cannot open "
	    "gone.lua: '))\n"
	    "no, why = loadfile('bytes.lua', 'bt') assert(not no and why:find('binary chunk'))\n"
	    "no, why = loadfile('bytes.lua', 'b') assert(not no and why:find('bytecode is not'))\n"
	    "no, why = pcall(dofile, 'bytes.lua') assert(not no and why:find('binary chunk'))\n"
	    "no, why = loadfile('bad.lua') assert(not no and why:find('^bad.lua:1: '))\n"
	    "local co = coroutine.wrap(function() return dofile('yields.lua') end)\n"
	    "assert(co() == 'yielded') local a, b = co() assert(a == 1 and b == 2)");
	/* A spec that is read again loads the module again. */
	write_file(directory, "lib.lua", "return { x = 'new' }", 20);
	assert_int_equal(engine_call(s, "load", n, &result, &err), 0);
	expect_boot(s, "default", "spec", "{ lib = { x = 'new' }, part = { y = 2 } }");
	node_free(n);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		MEM_AUTO char *path = mem_format("%s/%s", directory, names[i]);

		(void)unlink(path);
	}
	(void)rmdir(directory);
}

/* The text of a JSON file is not kept, and its empty tables have a mark that scripts cannot see. */
static void test_json_file(void **state)
{
	char directory[] = "/tmp/vmrun-test-XXXXXX";
	struct script *s = *state;

	assert_non_null(mkdtemp(directory));
	write_file(directory, "list.json", "[]", 2);
	MEM_AUTO char *path = mem_format("%s/list.json", directory);
	MEM_AUTO char *text =
	    mem_format("local list = vmrun.include('%s')\n"
		       "assert(next(list) == nil and getmetatable(list) == false)\n"
		       "return { empty = list }",
		path);

	load_lua(s, text);
	assert_null(s->file.text);
	expect_boot(s, "default", "spec", "{ empty = list }");
	(void)unlink(path);
	(void)rmdir(directory);
}

/* A message of vmrun.log() and a line of print() have a limit. */
static void test_limits_of_output(void **state)
{
	struct script *s = *state;

	str_free(&support_log);
	load_lua(s, "vmrun.log('info', ('x'):rep(8000)) return {}");
	assert_int_equal(support_log.length, strlen("info: \n") + 8000);
	str_free(&support_log);
	load_lua(s, "vmrun.log('info', ('x'):rep(8001)) return {}");
	assert_int_equal(support_log.length, strlen("info: ...\n") + 8000);
	str_free(&support_log);
	load_lua(s, "io.write(('x'):rep(4095)) print('y') return {}");
	assert_int_equal(support_log.length, strlen("info: \n") + 4096);
	str_free(&support_log);
	load_lua(s, "io.write(('x'):rep(4095)) print('yz') return {}");
	assert_non_null(strstr(support_log.text, "y\ninfo: z\n"));
}

/* A sparse file whose only line is a "#!" line. */
static void test_limit_of_files(void **state)
{
	char directory[] = "/tmp/vmrun-test-XXXXXX";
	struct script *s = *state;

	assert_non_null(mkdtemp(directory));
	write_file(directory, "large.lua", "#", 1);
	MEM_AUTO char *path = mem_format("%s/large.lua", directory);

	assert_int_equal(truncate(path, (off_t)64 << 20), 0);
	load_files(s, directory, "assert(loadfile('large.lua'))");
	assert_int_equal(truncate(path, ((off_t)64 << 20) + 1), 0);
	load_files(s, directory,
	    "local no, why = loadfile('large.lua')\n"
	    "assert(not no and why == 'large.lua: larger than 64 MiB')");
	(void)unlink(path);
	(void)rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_refused),
		SUPPORT_TEST(test_still_there),
		SUPPORT_TEST(test_originals_are_out_of_sight),
		SUPPORT_TEST(test_metatables_are_out_of_sight),
		SUPPORT_TEST(test_blocking_in_hooks),
		SUPPORT_TEST(test_output),
		cmocka_unit_test(test_stack_of_opening),
		SUPPORT_TEST(test_files_beside),
		SUPPORT_TEST(test_json_file),
		SUPPORT_TEST(test_limits_of_output),
		SUPPORT_TEST(test_limit_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
