/* Replacements of functions of Lua's library; their upvalue is the original. */
#ifndef SCRIPT_COROUTINES_H
#define SCRIPT_COROUTINES_H

#include <lua.h>

int coroutines_create(lua_State *L);
int coroutines_resume(lua_State *L);
int coroutines_close(lua_State *L);
int coroutines_wrap(lua_State *L);
int coroutines_yield(lua_State *L);

#endif
