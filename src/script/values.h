/* Copies documents into Lua and out of it. */
#ifndef SCRIPT_VALUES_H
#define SCRIPT_VALUES_H

#include <lua.h>
#include <stdbool.h>

#include "base/node.h"

/* Levels of tables in a document. */
#define MAX_VALUES_DEPTH 64

enum values_mark { MARK_NONE, MARK_LIST, MARK_OBJECT, MARKS };

/* Prepares a state; called once, first. */
void values_open(lua_State *L);

/* Pushes a copy; NULL becomes nil, and null becomes the NULL light userdata, as in lua-cjson. */
void values_push(lua_State *L, const struct node *value);

/*
 * Copies the value at the index into *out.  The tree is in *out from its first node on: when this
 * raises, the caller of the protected call frees *out.
 */
void values_take(lua_State *L, int index, struct node **out);
/*
 * Copies data that goes to a file: floats stay floats, and values that are not plain data raise
 * "NAME.key: why".
 */
void values_take_plain(lua_State *L, int index, const char *name, struct node **out);

/*
 * An empty table is a list and an object at once.  A table that came from [] or {} in a file has a
 * mark: a metatable without any function in it.
 */
enum values_mark values_get_mark(lua_State *L, int index);
void values_set_mark(lua_State *L, int index, enum values_mark mark);

/*
 * Returns the key (a light userdata) under which the metatable of a read-only view has a function
 * that returns the table which the view shows.  A view is copied as that table.
 */
void *values_content_key(void);
/* Pushes the table that the view on the top shows; returns false for any other table. */
bool values_push_content(lua_State *L);

#endif
