/*
 * Replacements of library functions that loop for as long as a script tells them: with a huge
 * count, a huge __len or metamethods in C they never end, and no count hook runs inside them.
 */
#ifndef SCRIPT_LOOPS_H
#define SCRIPT_LOOPS_H

#include <lua.h>

/* Upvalue 1 of loops_sort() is the original. */
int loops_insert(lua_State *L);
int loops_remove(lua_State *L);
int loops_move(lua_State *L);
int loops_concat(lua_State *L);
int loops_sort(lua_State *L);
int loops_rep(lua_State *L);

#endif
