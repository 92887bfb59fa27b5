/*
 * Replacements for Lua's functions that load code: text only, from files that root may trust.
 */
#ifndef SCRIPT_LOADING_H
#define SCRIPT_LOADING_H

#include <lua.h>

/* Replaces load: upvalue 1 is the original, upvalue 2 the globals of its chunks. */
int loading_load(lua_State *L);
/* Replaces loadfile, without the original; dofile likewise. */
int loading_loadfile(lua_State *L);
int loading_dofile(lua_State *L);
/* Returns the value of a JSON file, or nil and the reason: for vmrun.include(). */
int loading_json(lua_State *L);
/* Replaces package.loadlib: upvalue 1 is the original. */
int loading_loadlib(lua_State *L);

#endif
