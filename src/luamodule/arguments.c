/* Arguments of functions, and what functions return. */
#include "luamodule/arguments.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

const char *arguments_text(lua_State *L, int argument)
{
	size_t length;
	const char *text = luaL_checklstring(L, argument, &length);

	luaL_argcheck(L, strlen(text) == length, argument, "the string contains a NUL");
	return text;
}

const char *arguments_text_or_null(lua_State *L, int argument)
{
	return lua_isnoneornil(L, argument) ? NULL : arguments_text(L, argument);
}

bool arguments_flag(lua_State *L, int argument)
{
	if (lua_isnoneornil(L, argument))
		return false;
	luaL_checktype(L, argument, LUA_TBOOLEAN);
	return lua_toboolean(L, argument);
}

int arguments_push_failure(lua_State *L, const char *why, int status)
{
	lua_pushnil(L);
	lua_pushstring(L, why);
	lua_pushinteger(L, status);
	return 3;
}

int arguments_push_owned(lua_State *L, char *text)
{
	lua_pushstring(L, text);
	free(text);
	return 1;
}
