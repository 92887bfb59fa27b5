/* The module `vmrun` for the stock interpreter of Lua 5.4, on the public header. */
#include <stdlib.h>

#include <lauxlib.h>

#include "luamodule/vm.h"

static int module_describe(lua_State *L)
{
	char *text = vmrun_describe(luaL_checkstring(L, 1), lua_toboolean(L, 2));

	lua_pushstring(L, text);
	free(text);
	return 1;
}

static int module_default_run_dir(lua_State *L)
{
	char *path = vmrun_default_run_dir();

	lua_pushstring(L, path);
	free(path);
	return 1;
}

/* Returns nil, why, which it frees, and the status. */
static int failure(lua_State *L, int status, char *why)
{
	lua_pushnil(L);
	lua_pushstring(L, why);
	lua_pushinteger(L, status);
	free(why);
	return 3;
}

static int module_history(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1), *state_dir = luaL_optstring(L, 2, NULL);
	char *lines = NULL, *why = NULL;
	int status = vmrun_history(state_dir, name, &lines, &why);

	if (status != 0)
		return failure(L, status, why);
	lua_pushstring(L, lines == NULL ? "" : lines);
	free(lines);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "catch", loop_catch },
	{ "default_run_dir", module_default_run_dir },
	{ "describe", module_describe },
	{ "history", module_history },
	{ "open", module_open },
	{ "wait", loop_wait },
	{ NULL, NULL },
};

/* Releases the caught signals before Lua unloads the module with their handler. */
static void release_at_end(lua_State *L)
{
	/* Where package.loaded has lost the module, the signals are still caught. */
	if (lua_getfield(L, LUA_REGISTRYINDEX, "vmrun.signals") != LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	lua_pop(L, 1);
	lua_newuserdatauv(L, 0, 0);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, loop_release);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	lua_setfield(L, LUA_REGISTRYINDEX, "vmrun.signals");
}

__attribute__((visibility("default"))) int luaopen_vmrun(lua_State *L);

int luaopen_vmrun(lua_State *L)
{
	release_at_end(L);
	vm_push_metatable(L);
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	lua_pushstring(L, vmrun_version());
	lua_setfield(L, -2, "version");
	return 1;
}
