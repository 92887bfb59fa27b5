/* Lua's libraries, with replacements for the functions that would escape the limits. */
#ifndef SCRIPT_LIBRARIES_H
#define SCRIPT_LIBRARIES_H

#include <lua.h>

/* Opens what the modules of lua/ need as the globals of a new state; no script may run in them. */
void libraries_open_core(lua_State *L);
/*
 * Makes the globals of scripts, from now on those of every chunk, and pushes them.  A script that
 * changes them (`type = "disk"` is easily written) does not disturb vmrun's own modules.  A start
 * from JSON without hooks does not call this.
 */
void libraries_open_world(lua_State *L);

#endif
