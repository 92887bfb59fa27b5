/*
 * Finalizers run where Lua allocates.  One may close the handle, or call another function of it,
 * and what the handle has lent is gone: hold them back while lent strings and structs are pushed.
 */
#ifndef LUAMODULE_HOLD_H
#define LUAMODULE_HOLD_H

#include <stdbool.h>

#include <lua.h>

/* Stops the garbage collector; returns what hold_end() needs. */
static inline bool hold_begin(lua_State *L)
{
	bool was_running = lua_gc(L, LUA_GCISRUNNING) != 0;

	(void)lua_gc(L, LUA_GCSTOP);
	return was_running;
}

/* Restarts it, unless the program had stopped it before. */
static inline void hold_end(lua_State *L, bool was_running)
{
	if (was_running)
		(void)lua_gc(L, LUA_GCRESTART);
}

#endif
