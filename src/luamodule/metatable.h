/* The metatables of the module's userdata. */
#ifndef LUAMODULE_METATABLE_H
#define LUAMODULE_METATABLE_H

#include <lauxlib.h>
#include <lua.h>

/* Pushes the metatable of a type, and registers it. */
static inline void metatable_push(
    lua_State *L, const char *type, const luaL_Reg *metamethods, const luaL_Reg *methods)
{
	(void)luaL_newmetatable(L, type);
	luaL_setfuncs(L, metamethods, 0);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_setfield(L, -2, "__index");
	/* Hides the metatable, whose __gc must not be called with another value. */
	lua_pushstring(L, type);
	lua_setfield(L, -2, "__metatable");
}

#endif
