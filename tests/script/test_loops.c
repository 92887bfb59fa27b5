/*
 * Library functions that loop for as long as a script tells them: they end with the call, and do
 * what those of Lua do.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/mem.h"

#define HANG_SECONDS 120

#define HUGE_TABLE                                                                           \
	"setmetatable({}, { __len = function() return (1 << 31) - 2 end, __index = rawlen, " \
	"__newindex = type })"
#define POWERS                                                               \
	"local t = { 1, 2, 3, 4, 5, 6, 7, 8, [9] = 1, [16] = 1, [17] = 1 } " \
	"for k = 5, 61 do t[1 << k] = 1 end assert(#t > 1e9) "
#define SLOW                                                         \
	"local slow = setmetatable({}, { __index = table.concat }) " \
	"for i = 1, 1e5 do slow[i] = '' end "

static const char *const endless[] = {
	"table.move({}, 1, 1e15, 2, {})",
	"table.move({}, 1, 1e15, 2)",
	"table.move({}, math.mininteger, -2, 1)",
	"table.insert(" HUGE_TABLE ", 1, 1)",
	POWERS "table.insert(t, 1, 1)",
	"table.remove(" HUGE_TABLE ", 1)",
	POWERS "table.remove(t, 1)",
	"table.sort(" HUGE_TABLE ")",
	"table.sort(" HUGE_TABLE ", math.ult)",
	"table.concat(setmetatable({}, { __index = rawlen }), '', 1, 1e15)",
	"while true do pcall(table.move, {}, 1, 1e15, 2, {}) end",
	"while true do pcall(pcall, table.insert, " HUGE_TABLE ", 1, 1) end",
	"coroutine.wrap(table.move)({}, 1, 1e15, 2, {})",
	"while true do pcall(coroutine.wrap(function() table.move({}, 1, 1e15, 2, {}) end)) end",
	"table.sort({ 2, 1 }, function() table.move({}, 1, 1e15, 2, {}) end)",
	/* Each step is a loop of its own. */
	SLOW "table.move(slow, 1e6, 1e15, 1, {})",
};

static void test_endless(void **state)
{
	(void)alarm(HANG_SECONDS);
	for (size_t i = 0; i < sizeof(endless) / sizeof(*endless); i++) {
		struct script *s = script_open(40, 64 * MIB);
		MEM_AUTO char *chunk = mem_format("%s return {}", endless[i]);

		struct node *file = lua_file(chunk);
		MEM_AUTO char *error = error_of(s, "load", file);

		node_free(file);
		if (strstr(error, "still running after 40 ms (hook_timeout)") == NULL)
			fail_msg("%s: %s", endless[i], error);
		load_lua(s, "return { n = #table.concat({ 'a', 'b' }, ',') }");
		expect_boot(s, "default", "spec", "{ n = 3 }");
		script_free(s);
	}
	(void)alarm(0);
	(void)state;
}

static void test_repeated_nothing(void **state)
{
	load_lua(*state,
	    "assert((''):rep(1e18) == '' and (''):rep(1e18, '') == '') "
	    "assert((''):rep(math.maxinteger) == '') "
	    "return {}");
}

static void test_repeated_texts(void **state)
{
	load_lua(*state,
	    "for _, text in ipairs { '', 'a', 'bc', 'def' } do "
	    "for _, between in ipairs { '', ',', '; ' } do local list = {} "
	    "for n = 1, 40 do list[n] = text "
	    "assert(text:rep(n, between) == table.concat(list, between)) end end end "
	    "return {}");
}

/*
 * Prints what the functions return and raise, and which metamethods they call in which order;
 * the releases of Lua 5.4 differ in the words of two errors.
 */
static const char program[] =
    "local function show(...)\n"
    "	local all = table.pack(...)\n"
    "	for i = 1, all.n do all[i] = tostring(all[i]):gsub('0x%x+', 'ADDRESS'):gsub('#%d', '#N')"
    ":gsub('invalid value.*', 'invalid value') end\n"
    "	return table.concat(all, ' ')\n"
    "end\n"
    "local function try(what, f, ...) print(what, show(pcall(f, ...))) end\n"
    "local function traced(list, size)\n"
    "	return setmetatable({}, {\n"
    "		__index = function(_, k) print('get', k) return list[k] end,\n"
    "		__newindex = function(_, k, v) print('set', k, v) list[k] = v end,\n"
    "		__len = function() print('len') return size or #list end,\n"
    "	})\n"
    "end\n"
    "local function values(t) local all = {} for k, v in pairs(t) do all[#all + 1] = k .. '=' .. "
    "tostring(v) end table.sort(all) return table.concat(all, ',') end\n"
    "local numbers = { math.mininteger, -2, 0, 1, 2, 3, 4, 5, math.maxinteger - 1, "
    "math.maxinteger }\n"
    "for _, i in ipairs(numbers) do\n"
    "	local list = { 'a', 'b', 'c' }\n"
    "	try('insert', table.insert, list, i, 'x') print(values(list))\n"
    "	try('remove', table.remove, list, i) print(values(list))\n"
    "	list = { 'a', 'b', 'c' }\n"
    "	try('insert', table.insert, traced(list), i, 'x')\n"
    "	try('remove', table.remove, traced(list), i)\n"
    "	for _, j in ipairs { -1, 0, 1, 2, 3, 5, math.maxinteger } do\n"
    "		try('concat', table.concat, { 'a', 'b', 'c', 4, 5.5 }, '-', i, j)\n"
    "		for _, to in ipairs(numbers) do\n"
    "			if i > -3 and i < 6 and j < 6 or i > 6 then\n"
    "				list = { 'a', 'b', 'c' }\n"
    "				try('move', function(...) return values(table.move(...)) end, "
    "list, i, j, to)\n"
    "				try('move', function(...) return values(table.move(...)) end, "
    "list, i, j, to, { 'z' })\n"
    "				try('move', table.move, traced(list), i, j, to, traced({}))\n"
    "			end\n"
    "		end\n"
    "	end\n"
    "	try('rep', string.rep, 'ab', i > 9 and i or i % 7, ',')\n"
    "	try('rep', string.rep, '', i > 9 and 3 or i % 7, ',')\n"
    "	try('rep', string.rep, 'x', i > 9 and i or i % 7)\n"
    "end\n"
    "for _, f in ipairs { 'insert', 'remove', 'move', 'concat', 'sort', 'rep' } do\n"
    "	f = table[f] or string[f]\n"
    "	try('nothing', f) try('number', f, 1) try('nil', f, nil, 1) try('text', f, 'a', {})\n"
    "	try('table', f, {}, {}) try('one', f, { 1 }, 'x', 'y', 'z') try('many', f, {}, 1, 2, 3, 4, "
    "5)\n"
    "	try('bad length', f, setmetatable({}, { __len = function() return 'x' end }), 1)\n"
    "	try('no index', f, setmetatable({}, { __newindex = type }), 1, 1, 1)\n"
    "	try('file', f, io.stdout, 1, 1, 1)\n"
    "end\n"
    "try('insert', table.insert, { 1 }, 2) try('remove', table.remove, { 1 })\n"
    "try('remove', table.remove, {}) try('remove', table.remove, { [0] = 'z' }, 0)\n"
    "try('concat', table.concat, traced({ 'a', 'b' }), ', ') try('concat', table.concat, { 1, {} "
    "})\n"
    "try('sort', table.sort, { 3, 'x', 1 }) try('sort', table.sort, { 1, 2 }, math.ult)\n"
    "try('sort', table.sort, traced({ 3, 1, 2 }))\n"
    "local many = {} for i = 1, 70000 do many[i] = i * 7919 % 70001 end table.sort(many)\n"
    "for i = 2, #many do assert(many[i - 1] < many[i]) end\n"
    "table.sort(many, function(a, b) return a > b end) print(many[1], many[70000])\n"
    "table.sort(many, math.ult) print(many[1], many[70000])\n"
    "local function at(f, ...) f(...) end\n"
    "print(pcall(at, table.insert, { 1 }, 9, 1)) print(pcall(at, table.concat, { {} }))\n"
    "print(pcall(at, string.rep, 'x', 1 << 62)) \n";

static int print_to_log(lua_State *L)
{
	int count = lua_gettop(L);

	str_add(&support_log, "info: ");
	for (int i = 1; i <= count; i++) {
		if (i > 1)
			str_add(&support_log, "\t");
		str_add(&support_log, luaL_tolstring(L, i, NULL));
		lua_pop(L, 1);
	}
	str_add(&support_log, "\n");
	return 0;
}

/* Runs the program in Lua as it is. */
static char *run_original(void)
{
	lua_State *L = luaL_newstate();

	str_free(&support_log);
	luaL_openlibs(L);
	lua_pushcfunction(L, print_to_log);
	lua_setglobal(L, "print");
	if (luaL_loadbuffer(L, program, strlen(program), "@vm.lua") != LUA_OK ||
	    lua_pcall(L, 0, 0, 0) != LUA_OK)
		fail_msg("%s", lua_tostring(L, -1));
	lua_close(L);
	return str_take(&support_log);
}

static void test_same_as_lua(void **state)
{
	MEM_AUTO char *original = run_original();
	MEM_AUTO char *text = mem_format("%s return {}", program);
	const char *a = original, *b;

	load_lua(*state, text);
	b = support_log.text;
	while (*a != '\0' && *b != '\0') {
		size_t n = strcspn(a, "\n") + 1, m = strcspn(b, "\n") + 1;

		if (n != m || memcmp(a, b, n) != 0)
			fail_msg("Lua: %.*sgot: %.*s", (int)n, a, (int)m, b);
		a += n;
		b += m;
	}
	assert_true(*a == *b && support_log.length > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endless),
		SUPPORT_TEST(test_repeated_nothing),
		SUPPORT_TEST(test_repeated_texts),
		SUPPORT_TEST(test_same_as_lua),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
