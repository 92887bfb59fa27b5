/* A module in C for scripts.  It calls functions of Lua, also lua_arith(), which vmrun does not. */
#include <lauxlib.h>
#include <lua.h>

int luaopen_c_module(lua_State *L);

/* sum(A, B): returns A + B. */
static int sum(lua_State *L)
{
	lua_settop(L, 2);
	lua_arith(L, LUA_OPADD);
	return 1;
}

int luaopen_c_module(lua_State *L)
{
	static const luaL_Reg functions[] = { { "sum", sum }, { NULL, NULL } };

	luaL_newlib(L, functions);
	return 1;
}
