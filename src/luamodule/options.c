/* Fills in structs of the library from Lua tables. */
#include "luamodule/options.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

void options_begin(lua_State *L)
{
	if (lua_type(L, AT_TABLE) == LUA_TSTRING) {
		lua_settop(L, AT_TABLE);
		lua_newtable(L);
		lua_insert(L, AT_TABLE);
		lua_setfield(L, AT_TABLE, "file");
	}
	luaL_checktype(L, AT_TABLE, LUA_TTABLE);
	lua_settop(L, AT_TABLE);
}

/* Keeps the value on the top of the stack as long as the struct, and pops it. */
static void keep(lua_State *L)
{
	lua_rawseti(L, AT_KEPT, (lua_Integer)lua_rawlen(L, AT_KEPT) + 1);
}

/* Raises unless the value on the top of the stack has the type. */
static void expect(lua_State *L, const struct option *o, bool is_right, const char *expected)
{
	if (!is_right)
		luaL_error(L, "option \"%s\": expected %s, got %s", o->name, expected,
		    luaL_typename(L, -1));
}

/* Lends the string on the top of the stack, which is kept as long as the struct. */
static const char *kept_text(lua_State *L, const struct option *o)
{
	size_t length;
	const char *text = lua_tolstring(L, -1, &length);

	if (strlen(text) != length && strcmp(o->name, "text") != 0)
		luaL_error(L, "option \"%s\": the string contains a NUL", o->name);
	lua_pushvalue(L, -1);
	keep(L);
	return text;
}

static const char **new_words(lua_State *L, size_t count)
{
	const char **words = lua_newuserdatauv(L, (count + 1) * sizeof(*words), 0);

	for (size_t i = 0; i <= count; i++)
		words[i] = NULL;
	keep(L);
	return words;
}

/* stack: ... list -> ... list */
static const char *const *read_list(lua_State *L, const struct option *o)
{
	size_t count = lua_rawlen(L, -1);
	const char **words = new_words(L, count);

	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i + 1);
		expect(L, o, lua_type(L, -1) == LUA_TSTRING, "a list of strings");
		words[i] = kept_text(L, o);
		lua_pop(L, 1);
	}
	return words;
}

/* stack: ... table -> ... table list; the list has "NAME=VALUE" for each pair */
static void push_pairs(lua_State *L, const struct option *o)
{
	int table = lua_gettop(L), list = table + 1;

	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, table) != 0) {
		bool is_pair = lua_type(L, -2) == LUA_TSTRING;

		expect(L, o, !lua_istable(L, -1) && !lua_isfunction(L, -1),
		    "strings, numbers and booleans");
		if (is_pair) {
			lua_pushvalue(L, -2);
			(void)lua_pushliteral(L, "=");
			(void)luaL_tolstring(L, -3, NULL);
			lua_concat(L, 3);
		} else {
			(void)luaL_tolstring(L, -1, NULL);
		}
		lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
		lua_settop(L, list + 1); /* the key */
	}
}

/* stack: ... value -> ... value */
static void read_number(lua_State *L, const struct option *o, char *at)
{
	int is_integer;
	lua_Integer value = lua_tointegerx(L, -1, &is_integer);

	expect(L, o, is_integer != 0 && lua_type(L, -1) == LUA_TNUMBER, "an integer");
	if (o->kind == OPTION_INT64)
		*(int64_t *)(void *)at = value;
	else if (value >= INT_MIN && value <= INT_MAX)
		*(int *)(void *)at = (int)value;
	else
		luaL_error(L, "option \"%s\": %I is out of range", o->name, (LUAI_UACINT)value);
}

/* stack: ... value -> ... value */
static void read_value(lua_State *L, const struct option *o, char *at)
{
	switch (o->kind) {
	case OPTION_TEXT:
		expect(L, o, lua_type(L, -1) == LUA_TSTRING, "a string");
		*(const char **)(void *)at = kept_text(L, o);
		break;
	case OPTION_FLAG:
		expect(L, o, lua_isboolean(L, -1), "a boolean");
		*(bool *)(void *)at = lua_toboolean(L, -1);
		break;
	case OPTION_WORDS:
		expect(L, o, lua_istable(L, -1), "a list of strings");
		*(const char *const **)(void *)at = read_list(L, o);
		break;
	case OPTION_PAIRS:
		expect(L, o, lua_istable(L, -1), "a table");
		push_pairs(L, o);
		*(const char *const **)(void *)at = read_list(L, o);
		lua_pop(L, 1);
		break;
	case OPTION_INT:
	case OPTION_INT64:
		read_number(L, o, at);
		break;
	case OPTION_FUNCTION:
		expect(L, o, lua_isfunction(L, -1), "a function");
		lua_pushvalue(L, -1);
		lua_setiuservalue(L, AT_KEEPER, (int)o->offset);
		break;
	}
}

/* Returns the row of the option whose name is on the top of the stack. */
static const struct option *find_option(lua_State *L, const struct option *rows, size_t count)
{
	const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";

	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	luaL_error(L, "unknown option \"%s\"; vmrun-lua(3) lists the options",
	    luaL_tolstring(L, -1, NULL));
	return NULL;
}

void options_read(lua_State *L, const struct option *rows, size_t count, void *into)
{
	lua_pushnil(L);
	while (lua_next(L, AT_TABLE) != 0) {
		const struct option *o;

		lua_pushvalue(L, -2);
		o = find_option(L, rows, count);
		lua_pop(L, 1);
		read_value(L, o, (char *)into + (o->kind == OPTION_FUNCTION ? 0 : o->offset));
		lua_pop(L, 1);
	}
}

size_t options_length(lua_State *L, const char *name)
{
	size_t length;

	(void)lua_getfield(L, AT_TABLE, name);
	length = lua_rawlen(L, -1);
	lua_pop(L, 1);
	return length;
}
