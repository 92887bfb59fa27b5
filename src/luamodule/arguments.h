/* Arguments of functions, and what functions return. */
#ifndef LUAMODULE_ARGUMENTS_H
#define LUAMODULE_ARGUMENTS_H

#include <stdbool.h>

#include <lua.h>

/* Returns an argument that is a string; raises for another value, and for one with a NUL. */
const char *arguments_text(lua_State *L, int argument);
/* The same; NULL without the argument. */
const char *arguments_text_or_null(lua_State *L, int argument);
/* Returns an argument that is a boolean, false without it; raises for another value. */
bool arguments_flag(lua_State *L, int argument);
/* Pushes nil, the reason, and the status; returns 3. */
int arguments_push_failure(lua_State *L, const char *why, int status);
/* Pushes a string, or nil for NULL, and frees it; returns 1. */
int arguments_push_owned(lua_State *L, char *text);

#endif
