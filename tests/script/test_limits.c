/* Time and memory: a call ends whatever a script does, and the state can be used afterwards. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"

#define HANG_SECONDS 120 /* nothing here takes more than a few, also under a sanitizer */

static void still_works(struct script *s)
{
	load_lua(s, "local t = {} for i = 1, 1000 do t[i] = i end return { n = #t }");
	expect_boot(s, "default", "spec", "{ n = 1000 }");
}

/* Checks that the code is stopped in a chunk and in a hook. */
static void stops(const char *code)
{
	struct script *s = script_open(40, 64 * MIB);
	MEM_AUTO char *chunk = mem_format("%s\nreturn {}", code);
	MEM_AUTO char *hook = mem_format("return { on_exit = function(exit)\n%s\nend }", code);
	int64_t start = clock_ms();

	(void)alarm(HANG_SECONDS);
	load_error(s, chunk, "vm.lua:1: still running after 40 ms (hook_timeout)");
	/* On a busy machine a call that does little may take longer than 40 ms. */
	script_limit(s, HANG_SECONDS * 1000LL, 64 * MIB);
	still_works(s);
	load_lua(s, hook);
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit', files = list }", "{ 'on_exit of vm.lua' }");
	script_limit(s, 40, 64 * MIB);
	expect_error(s, "call", "{ name = 'on_exit', index = 1, argument = {} }",
	    "vm.lua:2: still running after 40 ms (hook_timeout)");
	script_limit(s, HANG_SECONDS * 1000LL, 64 * MIB);
	still_works(s);
	assert_true(clock_ms() - start >= 80);
	script_free(s);
	(void)alarm(0);
}

static void test_loops(void **state)
{
	static const char *const loops[] = {
		"while true do end",
		"for i = 1, math.huge do end",
		"goto again ::again:: goto again",
		"local function f() return f() end f()",
		"while true do local t = { {} } end",
		"repeat until pcall(error)",
		"string.gsub(('x'):rep(1e6), '.', function() while true do end end)",
		"table.sort({ 3, 2, 1 }, function() while true do end end)",
		"local x = setmetatable({}, { __index = function() while true do end end }).x",
		"local x = -setmetatable({}, { __unm = function() while true do end end })",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++)
		stops(loops[i]);
}

static void test_loops_behind_pcall(void **state)
{
	static const char *const loops[] = {
		"while true do pcall(function() while true do end end) end",
		"while true do pcall(pcall, pcall, pcall, function() while true do end end) end",
		"local function f() while true do pcall(f) end end f()",
		"while true do xpcall(function() while true do end end, debug.traceback) end",
		"local function f() while true do pcall(f) end end table.sort({ 1, 2 }, f)",
		"while true do local ok, e = pcall(error, 'x') end",
		"while true do pcall(string.rep, 'x', 1 << 40) end",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++)
		stops(loops[i]);
}

static void test_loops_in_coroutines(void **state)
{
	static const char *const loops[] = {
		"coroutine.wrap(function() while true do end end)()",
		"local co = coroutine.create(function() while true do end end) "
		"while true do coroutine.resume(co) end",
		"while true do coroutine.resume(coroutine.create(function() while true do end "
		"end)) end",
		"while true do pcall(coroutine.wrap(function() while true do end end)) end",
		"local w = coroutine.wrap(function() while true do coroutine.yield() end end) "
		"while true do w() end",
		"local function f() coroutine.wrap(f)() end while true do pcall(f) end",
		"local function f() pcall(coroutine.wrap(f)) while true do end end f()",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++)
		stops(loops[i]);
}

/*
 * An error that a count hook raises leaves hooks off in its thread; a __close that is called after
 * that must not be able to loop.
 */
static void test_loops_in_close(void **state)
{
#define CLOSE "local x <close> = setmetatable({}, { __close = function() while true do end end }) "
	static const char *const loops[] = {
		CLOSE "while true do end",
		"do " CLOSE "end",
		"pcall(function() " CLOSE "error('x') end)",
		"coroutine.wrap(function() " CLOSE "while true do end end)()",
		"pcall(coroutine.wrap(function() " CLOSE "while true do end end))",
		"local co = coroutine.create(function() " CLOSE "while true do end end) "
		"coroutine.resume(co) coroutine.close(co)",
		"local co = coroutine.create(function() " CLOSE "coroutine.yield() end) "
		"coroutine.resume(co) coroutine.close(co)",
		"local co = coroutine.create(function() " CLOSE "coroutine.yield() end) "
		"coroutine.resume(co) pcall(coroutine.close, co) while true do "
		"pcall(coroutine.close, co) end",
		CLOSE "for i in function() return 1 end, nil, nil, x do end",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++)
		stops(loops[i]);
}

/* A yield to C ends the call; its __close methods run, and have limits, too. */
static void test_yield_at_the_border(void **state)
{
	struct script *s = script_open(40, 64 * MIB);

	(void)state;
	load_error(s, "local function f()\ncoroutine.yield(1)\nend\nf() return {}",
	    "coroutine.yield outside a coroutine: there is nothing to wait for\nstack traceback:\n"
	    "\t[C]: in function 'coroutine.yield'\n\tvm.lua:2: in local 'f'\n\tvm.lua:4: in ");
	load_error(s, CLOSE "coroutine.yield() return {}",
	    "vm.lua:1: still running after 40 ms (hook_timeout)");
	still_works(s);
	load_lua(s, "return coroutine.wrap(function() coroutine.yield({ a = 1 }) end)()");
	expect_boot(s, "default", "spec", "{ a = 1 }");
	script_free(s);
}

/* A coroutine in which a call was stopped cannot go on in the next call. */
static void test_leftover_coroutine(void **state)
{
	struct script *s = script_open(40, 64 * MIB);

	(void)state;
	load_error(s,
	    "left = coroutine.wrap(function() for i = 1, math.huge do coroutine.yield(i) end end)\n"
	    "while true do left() end",
	    "vm.lua:");
	load_lua(
	    s, "local ok, why = pcall(left) return { ok = not ok and why:find('another call') }");
	script_free(s);
}

static void test_place_and_traceback(void **state)
{
	struct script *s = script_open(40, 64 * MIB);

	(void)state;
	load_error(s, "local function spin()\n  while true do\n  end\nend\nspin()",
	    "vm.lua:2: still running after 40 ms (hook_timeout)\nstack traceback:\n"
	    "\tvm.lua:2: in local 'spin'\n\tvm.lua:5: in ");
	script_limit(s, 1000, 64 * MIB);
	load_error(s, "while true do end", "vm.lua:1: still running after 1 s (hook_timeout)");
	script_free(s);
}

/* A budget is not spent on the room for a short key that each copied value has. */
static void test_copied_values(void **state)
{
	struct script *s = script_open(20000, 4 * MIB);

	(void)state;
	load_lua(s, "local list = {} for i = 1, 34000 do list[i] = i end return { list = list }");
	script_free(s);
}

static void needs_memory(const char *code)
{
	struct script *s = script_open(20000, 4 * MIB);

	(void)alarm(HANG_SECONDS);
	load_error(s, code, "needs more than 4 MiB of memory (hook_memory)");
	still_works(s);
	script_free(s);
	(void)alarm(0);
}

/* The message has the cap in the largest unit of which it is a whole number. */
static void test_names_of_caps(void **state)
{
	static const struct {
		size_t cap;
		const char *text;
	} cases[] = {
		{ 4 * MIB, "needs more than 4 MiB of" },
		{ 4 * MIB - 1024, "needs more than 4095 KiB of" },
		{ 4 * MIB + 1, "needs more than 4194305 bytes of" },
	};
	struct script *s = script_open(20000, 64 * MIB);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		script_limit(s, 20000, cases[i].cap);
		load_error(s, "return { ('x'):rep(1 << 30) }", cases[i].text);
	}
	script_free(s);
}

static void test_memory(void **state)
{
	static const char *const hogs[] = {
		"local s = 'x' while true do s = s .. s end",
		"local t = {} while true do t[#t + 1] = {} end",
		"local t = {} for i = 1, math.huge do t[i] = ('x'):rep(100) .. i end",
		"return { ('x'):rep(1 << 30) }",
		"return { ('x'):rep(1e9, 'y') }",
		"local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end",
		"collectgarbage('stop') local t = {} while true do t = { t } end",
		"collectgarbage('generational') local t = {} while true do t = { t } end",
		"collectgarbage('setpause', 1000) local t = {} while true do t = { t } end",
		"coroutine.wrap(function() local t = {} while true do t = { t } end end)()",
		"local t = {} repeat t[#t + 1] = table.concat(t, 'x') .. 'y' until false",
		"local n = 0 assert(load(function() n = n + 1 return n == 1 and '[[' or 'xx' end))",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hogs) / sizeof(*hogs); i++)
		needs_memory(hogs[i]);
}

/*
 * Garbage must not end a script, whatever allocates, and even if the collector is stopped.
 */
static void test_garbage(void **state)
{
	static const char *const chunks[] = {
		"collectgarbage('stop') for i = 1, 1e5 do local t = { {}, {} } end return {}",
		"for i = 1, 1000 do local s = ('x'):rep(5e5) .. i end return {}",
		"local keep = ('x'):rep(1500000) for i = 1, 1000 do local s = ('y'):rep(1e5) .. i "
		"end "
		"return { n = #keep }",
		"local s = 'x' for i = 1, 5000 do s = s:upper() .. table.concat({ s }):sub(1, 1) "
		"end "
		"return { s = s }",
	};
	struct script *s = script_open(250000, 4 * MIB);

	(void)state;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++) {
		load_lua(s, chunks[i]);
		still_works(s);
	}
	script_free(s);
}

/*
 * A script that stays at its memory cap and catches the errors runs few instructions per second,
 * because each failure costs a full collection.
 */
static void test_memory_errors_for_ever(void **state)
{
	struct script *s = script_open(200, 32 * MIB);
	int64_t start = clock_ms();

	(void)state;
	(void)alarm(HANG_SECONDS);
	load_error(s,
	    "local t, n = {}, 0\n"
	    "local function grow() while true do n = n + 1 t[n] = { {} } end end\n"
	    "while true do pcall(grow) end",
	    "vm.lua:");
	print_message("stopped %d ms after the deadline\n", (int)(clock_ms() - start - 200));
	still_works(s);
	script_free(s);
	(void)alarm(0);
}

static void test_errors(void **state)
{
	struct script *s = script_open(200, 64 * MIB);

	(void)state;
	script_limit(s, 60000, 256 * MIB);
	load_error(
	    s, "local function f() return 1 + f() end return f()", "vm.lua:1: stack overflow");
	script_limit(s, 60000, 16 * MIB);
	load_error(s, "local function f() return 1 + f() end return f()",
	    "needs more than 16 MiB of memory (hook_memory)");
	load_error(s,
	    "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) "
	    "return t[k] end return t.x",
	    "vm.lua:1: C stack overflow");
	load_error(s, "error()", "(error object is a nil value)\nstack traceback:\n");
	load_error(s, "error({ code = 1 })", "(error object is a table value)\nstack traceback:\n");
	load_error(
	    s, "error(42, 0)", "42\nstack traceback:\n\t[C]: in function 'error'\n\tvm.lua:1:");
	load_error(s, "error(print)", "(error object is a function value)");
	load_error(s, "error(setmetatable({}, { __tostring = function() return 'told' end }))",
	    "told\nstack traceback:\n");
	load_error(s, "error(setmetatable({}, { __tostring = function() return {} end }))",
	    "(error object is a table value)\nstack traceback:\n");
	load_error(s, "error(setmetatable({}, { __tostring = error }))",
	    "(error object is a table value)\nstack traceback:\n");
	load_error(s, "error('a\\0b\\0', 0)", "a?b?");
	load_error(s, "error('', 0)", "\nstack traceback:");
	load_error(s, "local x = ('x') .. {}", "vm.lua:1: attempt to concatenate a table value");
	load_error(s, "return string.rep()", "vm.lua:1: bad argument #1 to 'rep'");
	load_error(s, "string.rep()", "vm.lua:1: bad argument #1 to 'rep'");
	still_works(s);
	script_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_loops_behind_pcall),
		cmocka_unit_test(test_loops_in_coroutines),
		cmocka_unit_test(test_loops_in_close),
		cmocka_unit_test(test_yield_at_the_border),
		cmocka_unit_test(test_leftover_coroutine),
		cmocka_unit_test(test_place_and_traceback),
		cmocka_unit_test(test_names_of_caps),
		cmocka_unit_test(test_copied_values),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_memory_errors_for_ever),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
