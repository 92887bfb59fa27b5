/* Lua's libraries, and the doors in them that are closed because no limit holds behind them. */
#ifndef SCRIPT_DOORS_H
#define SCRIPT_DOORS_H

#include <lua.h>

/* What the modules of lua/ need, as the globals of a new state; no script may run in them. */
void doors_open_core(lua_State *L);
/*
 * New globals, with all that scripts may have, from now on those of every chunk; pushes them.  What
 * a script does to them (`type = "disk"` is easily written) leaves our modules alone.  A start from
 * JSON without hooks goes without.
 */
void doors_open_world(lua_State *L);
/* Raises inside a hook: `what` would block there. */
void doors_refuse_in_hook(lua_State *L, const char *what);

#endif
