/* Lua's libraries, with replacements for the functions that would escape the limits. */
#ifndef SCRIPT_LIBRARIES_H
#define SCRIPT_LIBRARIES_H

#include <lua.h>

/* Opens what the modules of lua/ need as the globals of a new state; no script may run in them. */
void libraries_open_core(lua_State *L);
/*
 * Makes a world, the globals of scripts, which are from now on those of every chunk; pushes the
 * globals, the table of loaded libraries and the library of strings.  A script that changes them
 * (`type = "disk"` is easily written) does not disturb vmrun's own modules.  A start from JSON
 * without hooks does not call this.
 */
void libraries_open_world(lua_State *L);
/* Returns to a world: pops the three tables, which no script may have replaced. */
void libraries_use_world(lua_State *L);
/* Calls the function that it stands for: upvalue 1 of a C function that replaces another. */
int libraries_pass(lua_State *L);

#endif
