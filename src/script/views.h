/* Raw functions of Lua that see what a read-only view shows: without them a view looks empty. */
#ifndef SCRIPT_VIEWS_H
#define SCRIPT_VIEWS_H

#include <lua.h>

/* Replaces next. */
int views_next(lua_State *L);
/* Like rawget; only for vmrun's own modules. */
int views_rawget(lua_State *L);

#endif
