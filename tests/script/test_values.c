/* Conversions between Lua values and C values. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "script/script_internal.h"
#include "script/values.h"

static void shows(const char *expression, const char *wanted)
{
	struct node *n = node_of(expression);
	MEM_AUTO char *got = node_show(n);

	node_free(n);
	assert_string_equal(got, wanted);
}

static void test_scalars(void **state)
{
	(void)state;
	shows("true", "true");
	shows("7", "7");
	shows("7.0", "7");
	shows("-0.0", "0");
	shows("7.5", "7.5");
	shows("2^53", "9007199254740992");
	shows("math.mininteger", "-9223372036854775808");
	shows("-2.0^63", "-9223372036854775808");
	shows("2.0^63", "9.2233720368547758e+18");
	shows("1e400", "inf");
	shows("'text'", "\"text\"");
	shows("'a\\0b'", "\"a\"(3 bytes)");
	shows("'7'", "\"7\"");
	shows("null", "<null>");
	shows("f", "<a function>");
	shows("nil", "nil");
}

static void test_tables(void **state)
{
	(void)state;
	shows("{}", "<an empty table>");
	shows("list", "[]");
	shows("object", "{}");
	shows("{ 1, 2.0, 'x' }", "[1, 2, \"x\"]");
	shows("{ [3] = 'c', [1] = 'a', [2] = 'b' }", "[\"a\", \"b\", \"c\"]");
	shows("{ [1.0] = 'a' }", "[\"a\"]");
	shows("{ b = 1, a = { c = null, [ '1' ] = 2 }, B = f }",
	    "{B=<a function>, a={1=2, c=<null>}, b=1}");
}

static void test_what_no_document_can_hold(void **state)
{
	(void)state;
	shows("{ 1, x = 2 }", "<a table with both list and named entries>");
	shows("{ [1] = 1, [3] = 3 }", "<a list with gaps ([2] is nil)>");
	shows("{ 'zfs', 'rollback', nil, 'x' }", "<a list with gaps ([3] is nil)>");
	shows("{ nil, 'x' }", "<a list with gaps ([1] is nil)>");
	shows("{ a = { 'x', nil, nil, 'y' } }", "{a=<a list with gaps ([2] is nil)>}");
	shows("{ [math.maxinteger] = 1 }", "<a list with gaps ([1] is nil)>");
	shows("{ 'x', nil }", "[\"x\"]"); /* a nil at the end is not visible */
	shows("{ [0] = 1 }", "<a table with a key that is neither a name nor a place in a list>");
	shows(
	    "{ [true] = 1 }", "<a table with a key that is neither a name nor a place in a list>");
	shows("{ [1.5] = 1 }", "<a table with a key that is neither a name nor a place in a list>");
	shows("{ a = { ['x\\0y'] = 1 } }", "{a=<a table with a NUL in a key>}");
	shows("setmetatable({}, { __index = {} })",
	    "<a table that inherits keys through its metatable>");
	shows("setmetatable({ a = 1 }, { __pairs = f })",
	    "<a table that inherits keys through its metatable>");
	shows("setmetatable({ a = 1 }, { __tostring = f })", "{a=1}");
}

static void test_order(void **state)
{
	struct node *n = node_of("(function() local t = {} "
				 "for i = 1, 100000 do t['k' .. i * 7919 % 100003] = i end "
				 "return t end)()");
	size_t count = 1;

	(void)state;
	for (const struct node *c = n->first; c->next != NULL; c = c->next, count++)
		assert_true(strcmp(c->key, c->next->key) < 0);
	assert_int_equal(count, 100000);
	assert_int_equal(n->count, 100000);
	assert_null(n->last->next);
	node_free(n);
}

struct trip {
	const struct node *in;
	struct node *out;
};

static int go_and_return(lua_State *L)
{
	struct trip *t = lua_touserdata(L, 1);

	values_push(L, t->in);
	values_take(L, -1, &t->out);
	return 0;
}

static void test_round_trip(void **state)
{
	static const char *const expressions[] = {
		"{ a = { 1, { 2 }, {}, list, object, { x = object } }, b = 2.5, c = 'a\\0b' }",
		"{ a = null, b = { null } }",
		"{ { }, false, true, -1 }",
		"'just text'",
		"null",
	};
	struct script *s = *state;

	for (size_t i = 0; i < sizeof(expressions) / sizeof(*expressions); i++) {
		struct node *n = node_of(expressions[i]);
		struct trip t = { .in = n };
		MEM_AUTO char *before = node_show(n);

		lua_pushcfunction(s->L, go_and_return);
		lua_pushlightuserdata(s->L, &t);
		assert_int_equal(lua_pcall(s->L, 1, 0, 0), LUA_OK);
		MEM_AUTO char *after = node_show(t.out);

		assert_string_equal(before, after);
		node_free(n);
		node_free(t.out);
	}
}

/* A function cannot be converted: it is refused, and not dropped silently. */
static void test_functions_stay(void **state)
{
	struct script *s = *state;
	struct node *n = node_of("{ f }");
	struct trip t = { .in = n };

	lua_pushcfunction(s->L, go_and_return);
	lua_pushlightuserdata(s->L, &t);
	assert_int_equal(lua_pcall(s->L, 1, 0, 0), LUA_ERRRUN);
	assert_string_equal(lua_tostring(s->L, -1), "a function cannot be handed over here");
	lua_settop(s->L, 0);
	node_free(n);
}

/* Returns why lists in lists do not go to Lua and back. */
static char *depth_error(struct script *s, size_t levels)
{
	NODE_AUTO struct node *n = node_new(NODE_LIST);
	struct trip t = { .in = n };
	char *text;

	for (size_t i = 1; i < levels; i++) {
		struct node *outer = node_new(NODE_LIST);

		node_append(outer, n);
		t.in = n = outer;
	}
	lua_pushcfunction(s->L, go_and_return);
	lua_pushlightuserdata(s->L, &t);
	assert_int_equal(lua_pcall(s->L, 1, 0, 0), LUA_ERRRUN);
	text = mem_copy(lua_tostring(s->L, -1));
	lua_settop(s->L, 0);
	node_free(t.out);
	return text;
}

/* A document of 64 levels goes to Lua with the levels of a request around it. */
static void test_depth_of_requests(void **state)
{
	MEM_AUTO char *back = depth_error(*state, MAX_VALUES_DEPTH + 5);
	MEM_AUTO char *there = depth_error(*state, MAX_VALUES_DEPTH + 6);

	assert_non_null(strstr(back, "levels (does a table contain itself?)"));
	assert_string_equal(there, "nested deeper than 64 levels");
}

static void test_depth(void **state)
{
	struct script *s = *state;

	load_lua(s, "local t = { x = 1 } for i = 1, 62 do t = { x = t } end return { t = t }");
	expect_boot(s, "default", "base_devices", "0");
	load_error(s, "local t = { x = 1 } for i = 1, 63 do t = { x = t } end return { t = t }",
	    "t.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x....: nested deeper than 64 "
	    "levels (does a table contain itself?)");
	load_error(s, "local vm = { devices = { {} } } vm.devices[1].again = vm return vm",
	    "devices[0].again.devices[0].again.devices[0].again.devic...: nested deeper");
}

static void raises_path(struct script *s, size_t length, const char *path)
{
	MEM_AUTO char *code = mem_format(
	    "vmrun.event { [('x'):rep(%zu)] = 0/0 } return {}", length - strlen("vmrun.event."));
	MEM_AUTO char *text = mem_format("vm.lua:1: vmrun.event.%s: not a number (NaN)", path);

	load_error(s, code, text);
}

static void test_limit_of_paths(void **state)
{
	raises_path(*state, 56, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	raises_path(*state, 57, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...");
}

/* 60 tables with 2^60 nodes: the copy has a cap, too. */
static void test_shared_tables(void **state)
{
	struct script *s = *state;

	load_error(s, "local t = {} for i = 1, 60 do t = { t, t } end return { t = t }", "t[0]");
	load_lua(s, "local t = { 1 } return { a = t, b = t }");
	expect_boot(s, "default", "spec", "{ a = { 1 }, b = { 1 } }");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_what_no_document_can_hold),
		cmocka_unit_test(test_order),
		SUPPORT_TEST(test_round_trip),
		SUPPORT_TEST(test_functions_stay),
		SUPPORT_TEST(test_depth),
		SUPPORT_TEST(test_depth_of_requests),
		SUPPORT_TEST(test_limit_of_paths),
		SUPPORT_TEST(test_shared_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
