/* Lua's libraries, and the doors in them that are closed because no limit holds behind them. */
#ifndef SCRIPT_DOORS_H
#define SCRIPT_DOORS_H

#include <lua.h>

/* What the modules of lua/ need; no script may run yet. */
void doors_open_core(lua_State *L);
/* The rest, when a script is about to run; a start from JSON without hooks goes without. */
void doors_open_rest(lua_State *L);

#endif
