/* The border: documents to Lua and back, by copying. */
#ifndef SCRIPT_VALUES_H
#define SCRIPT_VALUES_H

#include <lua.h>

#include "base/node.h"

/* Levels of tables in a document; one more may stand around it, in an answer of the engine. */
#define VALUES_DEPTH 64

enum values_mark { MARK_NONE, MARK_LIST, MARK_OBJECT };

/* Call once in a state, first. */
void values_open(lua_State *L);

/* Pushes a copy; NULL is nil, null the light userdata that points nowhere, as in lua-cjson. */
void values_push(lua_State *L, const struct node *value);

/*
 * Copies the value at the index into *out.  The tree is in *out from its first node on: when this
 * raises, the caller of the protected call frees what is there.
 */
void values_take(lua_State *L, int index, struct node **out);
/*
 * The same for data that leaves for a file: floats stay floats, and what is no plain data raises,
 * as "NAME.key: why".
 */
void values_take_plain(lua_State *L, int index, const char *name, struct node **out);

/*
 * An empty table is a list and an object at once.  One that came from a file where [] or {} stood
 * has a mark, a metatable without any function in it.
 */
enum values_mark values_get_mark(lua_State *L, int index);
void values_set_mark(lua_State *L, int index, enum values_mark mark);

#endif
