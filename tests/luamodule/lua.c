/*
 * An interpreter for builds with sanitizers: lua FILE [ARG...].  ^C is caught as lua(1) catches it,
 * as far as the tests need it.
 */
#include <signal.h>
#include <stdio.h>

#include <lauxlib.h>
#include <lualib.h>

static lua_State *interpreter; /* for the signal handler */

static void stop(lua_State *L, lua_Debug *frame)
{
	(void)frame;
	lua_sethook(L, NULL, 0, 0);
	luaL_error(L, "interrupted!");
}

static void interrupt(int number)
{
	(void)signal(number, SIG_DFL);
	lua_sethook(
	    interpreter, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static void set_arg(lua_State *L, int argc, char **argv)
{
	lua_createtable(L, argc, 0);
	for (int i = 1; i < argc; i++) {
		lua_pushstring(L, argv[i]);
		lua_seti(L, -2, i - 1);
	}
	lua_setglobal(L, "arg");
}

int main(int argc, char **argv)
{
	lua_State *L = luaL_newstate();
	int failed;

	if (L == NULL || argc < 2)
		return 64;
	interpreter = L;
	luaL_openlibs(L);
	set_arg(L, argc, argv);
	(void)signal(SIGINT, interrupt);
	failed = luaL_dofile(L, argv[1]);
	if (failed)
		(void)fprintf(stderr, "lua: %s\n", luaL_tolstring(L, -1, NULL));
	lua_close(L);
	return failed;
}
