/* Lua's functions that load code, each with its door: text only, from files that root may believe.
 */
#ifndef SCRIPT_LOADING_H
#define SCRIPT_LOADING_H

#include <lua.h>

/* In place of load, whose original is upvalue 1; and of loadfile and dofile, which need none. */
int loading_load(lua_State *L);
int loading_loadfile(lua_State *L);
int loading_dofile(lua_State *L);
/* In place of package.loadlib, upvalue 1. */
int loading_loadlib(lua_State *L);

#endif
