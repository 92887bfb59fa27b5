/*
 * Library functions that look at the clock while they loop.  They do what those of Lua 5.4 do, in
 * the same order of accesses, so that metamethods see no difference.
 */
#include "script/loops.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "script/script_internal.h"

/* Elements of a table without a metatable that are sorted without a look at the clock. */
#define MAX_QUICK_SORT 65536

/* Checks that an argument is a table, or has the metamethods of these names. */
static void check_table(lua_State *L, int index, const char *const *metamethods)
{
	if (lua_type(L, index) == LUA_TTABLE)
		return;
	for (; *metamethods != NULL; metamethods++) {
		if (luaL_getmetafield(L, index, *metamethods) == LUA_TNIL)
			luaL_checktype(L, index, LUA_TTABLE);
		lua_pop(L, 1);
	}
}

static const char *const reading[] = { "__index", NULL };
static const char *const writing[] = { "__newindex", NULL };
static const char *const measured[] = { "__index", "__len", NULL };
static const char *const changed[] = { "__index", "__newindex", "__len", NULL };

/* Copies an element from one table on the stack to another. */
static void copy(lua_State *L, int from, lua_Integer index, int to, lua_Integer place)
{
	script_step(L);
	lua_geti(L, from, index);
	lua_seti(L, to, place);
}

/* stack: table [position] value -> */
int loops_insert(lua_State *L)
{
	lua_Integer end, position;

	check_table(L, 1, changed);
	end = (lua_Integer)((lua_Unsigned)luaL_len(L, 1) + 1);
	position = end;
	if (lua_gettop(L) == 3) {
		position = luaL_checkinteger(L, 2);
		luaL_argcheck(L, (lua_Unsigned)position - 1U < (lua_Unsigned)end, 2,
		    "position out of bounds");
		for (lua_Integer i = end; i > position; i--)
			copy(L, 1, i - 1, 1, i);
	} else if (lua_gettop(L) != 2) {
		return luaL_error(L, "wrong number of arguments to 'insert'");
	}
	lua_seti(L, 1, position);
	return 0;
}

/* stack: table [position] -> value */
int loops_remove(lua_State *L)
{
	lua_Integer size, position;

	check_table(L, 1, changed);
	size = luaL_len(L, 1);
	position = luaL_optinteger(L, 2, size);
	if (position != size)
		luaL_argcheck(L, (lua_Unsigned)position - 1U <= (lua_Unsigned)size, 2,
		    "position out of bounds");
	lua_geti(L, 1, position);
	for (; position < size; position++)
		copy(L, 1, position + 1, 1, position);
	lua_pushnil(L);
	lua_seti(L, 1, position);
	return 1;
}

/* stack: from first last place [to] -> to */
int loops_move(lua_State *L)
{
	lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
	lua_Integer place = luaL_checkinteger(L, 4), count;
	int to = lua_isnoneornil(L, 5) ? 1 : 5;

	check_table(L, 1, reading);
	check_table(L, to, writing);
	if (last >= first) {
		luaL_argcheck(
		    L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
		count = last - first + 1;
		luaL_argcheck(L, place <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
		if (place > last || place <= first ||
		    (to != 1 && !lua_compare(L, 1, to, LUA_OPEQ))) {
			for (lua_Integer i = 0; i < count; i++)
				copy(L, 1, first + i, to, place + i);
		} else {
			for (lua_Integer i = count - 1; i >= 0; i--)
				copy(L, 1, first + i, to, place + i);
		}
	}
	lua_pushvalue(L, to);
	return 1;
}

/* stack: ... buffer -> ... buffer */
static void add_element(lua_State *L, luaL_Buffer *b, lua_Integer index)
{
	script_step(L);
	lua_geti(L, 1, index);
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid value (%s) at index %I in table for 'concat'",
		    luaL_typename(L, -1), (LUAI_UACINT)index);
	luaL_addvalue(b);
}

/* stack: table [separator [first [last]]] -> text */
int loops_concat(lua_State *L)
{
	lua_Integer last, i;
	const char *separator;
	size_t length;
	luaL_Buffer b;

	check_table(L, 1, measured);
	last = luaL_len(L, 1);
	separator = luaL_optlstring(L, 2, "", &length);
	i = luaL_optinteger(L, 3, 1);
	last = luaL_optinteger(L, 4, last);
	luaL_buffinit(L, &b);
	for (; i < last; i++) {
		add_element(L, &b, i);
		luaL_addlstring(&b, separator, length);
	}
	if (i == last)
		add_element(L, &b, i);
	luaL_pushresult(&b);
	return 1;
}

/* stack: a b -> boolean */
static int is_less(lua_State *L)
{
	script_step(L);
	lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
	return 1;
}

/* Compares by a C function, upvalue 1, in which no count hook runs. */
/* stack: a b -> boolean */
static int compare_in_c(lua_State *L)
{
	script_step(L);
	lua_settop(L, 2);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 2, 1);
	return 1;
}

/* stack: arguments -> results */
static int call_original(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

static bool is_quick_sort(lua_State *L)
{
	if (lua_rawlen(L, 1) > MAX_QUICK_SORT)
		return false;
	if (!lua_getmetatable(L, 1))
		return true;
	lua_pop(L, 1);
	return false;
}

/* Sorts with a comparison that looks at the clock, unless the table is short. */
/* stack: table [compare] -> */
int loops_sort(lua_State *L)
{
	check_table(L, 1, changed);
	/* Lua does not look at the comparison of nothing. */
	if (!lua_isnoneornil(L, 2) && lua_rawlen(L, 1) > 1)
		luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	if (lua_isnil(L, 2) && !is_quick_sort(L)) {
		lua_pushcfunction(L, is_less);
		lua_replace(L, 2);
	} else if (lua_iscfunction(L, 2)) {
		lua_pushcclosure(L, compare_in_c, 1);
	}
	return call_original(L);
}

/* stack: text count [separator] -> text */
int loops_rep(lua_State *L)
{
	size_t length, between, size, filled;
	const char *text = luaL_checklstring(L, 1, &length);
	lua_Integer count = luaL_checkinteger(L, 2);
	const char *separator = luaL_optlstring(L, 3, "", &between);
	luaL_Buffer b;
	char *to;

	/* Lua's own counts the repetitions of nothing, too. */
	if (count <= 0 || (length == 0 && between == 0)) {
		lua_pushliteral(L, "");
		return 1;
	}
	if (length + between < length || length + between > (size_t)INT_MAX / (size_t)count)
		return luaL_error(L, "resulting string too large");
	size = (size_t)count * (length + between) - between;
	to = luaL_buffinitsize(L, &b, size);
	memcpy(to, text, length);
	if (count > 1)
		memcpy(to + length, separator, between);
	/* What is there is copied behind itself: a byte at a time takes too long. */
	for (filled = count > 1 ? length + between : length; filled < size;) {
		size_t n = filled < size - filled ? filled : size - filled;

		memcpy(to + filled, to, n);
		filled += n;
	}
	luaL_pushresultsize(&b, size);
	return 1;
}
