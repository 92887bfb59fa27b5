/* The module `vmrun` for the stock interpreter of Lua 5.4, on the public headers. */
#include <stdlib.h>

#include <lauxlib.h>

#include "luamodule/arguments.h"
#include "luamodule/client.h"
#include "luamodule/import.h"
#include "luamodule/loop.h"
#include "luamodule/values.h"
#include "luamodule/vm.h"

/* Pushes nil, why, which it frees, and the status. */
static int push_failure(lua_State *L, int status, char *why)
{
	(void)arguments_push_failure(L, why, status);
	free(why);
	return 3;
}

static int module_describe(lua_State *L)
{
	return arguments_push_owned(L, vmrun_describe(arguments_text(L, 1), arguments_flag(L, 2)));
}

static int module_describe_device(lua_State *L)
{
	char *why, *text = vmrun_describe_device(arguments_text(L, 1), arguments_flag(L, 2), &why);

	if (text == NULL)
		return push_failure(L, VMRUN_STATUS_USAGE, why);
	return arguments_push_owned(L, text);
}

static int module_default_run_dir(lua_State *L)
{
	return arguments_push_owned(L, vmrun_default_run_dir());
}

static int module_forget(lua_State *L)
{
	const char *name = arguments_text(L, 1), *hook = arguments_text(L, 2);
	const char *run_dir = arguments_text_or_null(L, 3),
		   *state_dir = arguments_text_or_null(L, 4);
	char *why = NULL;
	int status = vmrun_forget(run_dir, state_dir, name, hook, &why);

	if (status != VMRUN_STATUS_OK)
		return push_failure(L, status, why);
	lua_pushboolean(L, 1);
	return 1;
}

static int module_history(lua_State *L)
{
	const char *name = arguments_text(L, 1), *state_dir = arguments_text_or_null(L, 2);
	char *lines = NULL, *why = NULL;
	int status = vmrun_history(state_dir, name, &lines, &why);

	if (status != VMRUN_STATUS_OK)
		return push_failure(L, status, why);
	lua_pushstring(L, lines == NULL ? "" : lines);
	free(lines);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "as_list", module_as_list },
	{ "catch", loop_catch },
	{ "connect", module_connect },
	{ "decode", module_decode },
	{ "default_run_dir", module_default_run_dir },
	{ "describe", module_describe },
	{ "describe_device", module_describe_device },
	{ "encode", module_encode },
	{ "forget", module_forget },
	{ "history", module_history },
	{ "import", module_import },
	{ "list", module_list },
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
	client_push_metatable(L);
	lua_pop(L, 2);
	luaL_newlib(L, functions);
	lua_pushstring(L, vmrun_version());
	lua_setfield(L, -2, "version");
	return 1;
}
