/* Raw functions of Lua that see what a read-only view shows. */
#include "script/views.h"

#include <lauxlib.h>

#include "script/values.h"

/* Puts the content of a view in the place of the view. */
/* stack: table ... -> table ... */
static void see_content(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_pushvalue(L, 1);
	if (values_push_content(L))
		lua_replace(L, 1);
	lua_settop(L, 2);
}

/* stack: table key -> key value | nil */
int views_next(lua_State *L)
{
	lua_settop(L, 2);
	see_content(L);
	if (lua_next(L, 1) != 0)
		return 2;
	lua_pushnil(L);
	return 1;
}

/* stack: table key -> value */
int views_rawget(lua_State *L)
{
	luaL_checkany(L, 2);
	lua_settop(L, 2);
	see_content(L);
	lua_rawget(L, 1);
	return 1;
}
