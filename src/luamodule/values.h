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
/*
 * Does the same for a text that the library has lent, which may be gone meanwhile; NULL is nil.
 */
bool values_push_lent(lua_State *L, const char *text);
/* Replaces an argument by its JSON; raises if it has none. */
void values_encode(lua_State *L, int argument);
/* vmrun.decode(), vmrun.encode() and vmrun.as_list() */
int module_decode(lua_State *L);
int module_encode(lua_State *L);
int module_as_list(lua_State *L);

#endif
