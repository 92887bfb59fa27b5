/* Lua values as JSON, and JSON as Lua values. */
#ifndef LUAMODULE_VALUES_H
#define LUAMODULE_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/*
 * Pushes the value of a JSON text: objects and lists are tables, null is nil.  Returns false, and
 * pushes the reason with its line and column, if the text is malformed.
 */
bool values_push(lua_State *L, const char *text, size_t length);
/* Pushes the value of a text that the library has made; nil for NULL. */
void values_push_own(lua_State *L, const char *text);
/* Replaces an argument, a table, by its JSON; raises if it has none. */
void values_encode(lua_State *L, int argument);
/* Returns an argument that is a string; raises for another value, and for one with a NUL. */
const char *values_text(lua_State *L, int argument);
/* The same; NULL without the argument. */
const char *values_text_or_null(lua_State *L, int argument);
/* vmrun.decode() and vmrun.encode() */
int module_decode(lua_State *L);
int module_encode(lua_State *L);

#endif
