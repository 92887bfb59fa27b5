/* Copies values into and out of Lua.  Tables are read raw: no code of a script runs meanwhile. */
#include "script/values.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/where.h"
#include "script/script_internal.h"

#define REQUEST_DEPTH 4	   /* levels of a request around a document */
#define MAX_RAISED_PATH 56 /* bytes of the path in an error message */
#define WHY_TEXT 64	   /* bytes of a reason that contains a number */

struct taking {
	lua_State *L;
	size_t room; /* bytes that the copy may still take: a table used twice is copied twice */
	bool plain;  /* accepts only what JSON can hold, exactly */
};

static const char mark_list_key, mark_object_key;
static char content_key;

/* stack: ... -> ... */
void values_open(lua_State *L)
{
	static const char *const keys[] = { &mark_list_key, &mark_object_key };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		lua_createtable(L, 0, 1);
		/*
		 * Scripts cannot reach the metatable, so they cannot put __gc or __index into it.
		 */
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
		lua_rawsetp(L, LUA_REGISTRYINDEX, keys[i]);
	}
}

/* stack: ... -> ... */
static bool has_metatable(lua_State *L, int index, const char *key)
{
	bool same;

	if (!lua_getmetatable(L, index))
		return false;
	lua_rawgetp(L, LUA_REGISTRYINDEX, key);
	same = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return same;
}

enum values_mark values_get_mark(lua_State *L, int index)
{
	if (has_metatable(L, index, &mark_list_key))
		return MARK_LIST;
	return has_metatable(L, index, &mark_object_key) ? MARK_OBJECT : MARK_NONE;
}

/* stack: ... -> ... (the table at the index has another metatable) */
void values_set_mark(lua_State *L, int index, enum values_mark mark)
{
	index = lua_absindex(L, index);
	if (mark == MARK_NONE)
		return;
	lua_rawgetp(L, LUA_REGISTRYINDEX, mark == MARK_LIST ? &mark_list_key : &mark_object_key);
	lua_setmetatable(L, index);
}

void *values_content_key(void)
{
	return &content_key;
}

/* stack: ... table -> ... table [content] */
bool values_push_content(lua_State *L)
{
	luaL_checkstack(L, 3, "a document");
	if (!lua_getmetatable(L, -1))
		return false;
	/* Scripts reach no metatable that has the key: the function is one of readonly.lua. */
	if (lua_rawgetp(L, -1, &content_key) != LUA_TFUNCTION) {
		lua_pop(L, 2);
		return false;
	}
	lua_remove(L, -2);
	lua_pushvalue(L, -2);
	lua_call(L, 1, 1);
	luaL_checktype(L, -1, LUA_TTABLE);
	return true;
}

static void push_table(lua_State *L, const struct node *value, int depth);

/* stack: ... -> ... value */
static void push_at(lua_State *L, const struct node *value, int depth)
{
	if (depth > MAX_VALUES_DEPTH + REQUEST_DEPTH)
		luaL_error(L, "nested deeper than %d levels", MAX_VALUES_DEPTH);
	luaL_checkstack(L, 4, "a document");
	switch (value == NULL ? NODE_OTHER : value->kind) {
	case NODE_NULL:
		lua_pushlightuserdata(L, NULL);
		break;
	case NODE_BOOL:
		lua_pushboolean(L, value->truth);
		break;
	case NODE_INT:
		lua_pushinteger(L, value->integer);
		break;
	case NODE_NUMBER:
		/* A number of Lua would lose the last digits of an EUI-64. */
		if (value->text != NULL)
			lua_pushstring(L, value->text);
		else
			lua_pushnumber(L, value->number);
		break;
	case NODE_STRING:
		lua_pushlstring(L, value->text, value->length);
		break;
	case NODE_LIST:
	case NODE_OBJECT:
	case NODE_EMPTY:
		push_table(L, value, depth);
		break;
	case NODE_FUNCTION:
	case NODE_OTHER:
	case NODE_KINDS:
		if (value != NULL)
			luaL_error(L, "%s cannot be handed over here", node_kind_name(value));
		lua_pushnil(L);
		break;
	}
}

/* stack: ... -> ... table */
static void push_table(lua_State *L, const struct node *value, int depth)
{
	bool is_list = value->kind == NODE_LIST;
	int size = value->count > INT16_MAX ? INT16_MAX : (int)value->count;
	lua_Integer i = 0;

	lua_createtable(L, is_list ? size : 0, is_list ? 0 : size);
	for (const struct node *n = value->first; n != NULL; n = n->next) {
		push_at(L, n, depth + 1);
		if (is_list)
			lua_rawseti(L, -2, ++i);
		else
			lua_setfield(L, -2, n->key);
	}
	if (value->count == 0 && value->kind != NODE_EMPTY)
		values_set_mark(L, -1, is_list ? MARK_LIST : MARK_OBJECT);
}

/* stack: ... -> ... value */
void values_push(lua_State *L, const struct node *value)
{
	push_at(L, value, 0);
}

/* Raises "emulations[0].path: why".  No heap memory is held when this jumps. */
/* stack: ... -> (raises) */
static int refuse_at(lua_State *L, const struct where *at, const char *why)
{
	char place[MAX_RAISED_PATH + sizeof("...: ")];
	char *path = where_path(at);

	/* The path of a table that contains itself is long and says little. */
	(void)snprintf(place, sizeof(place), "%.*s%s%s", MAX_RAISED_PATH, path,
	    strlen(path) > MAX_RAISED_PATH ? "..." : "", *path == '\0' ? "" : ": ");
	free(path);
	lua_pushfstring(L, "%s%s", place, why);
	return script_raise(L);
}

/* Takes bytes from the budget of the copy, or raises. */
static void spend(struct taking *t, size_t bytes, const struct where *at)
{
	if (bytes > t->room)
		refuse_at(t->L, at, "more than hook_memory allows (the same table many times?)");
	t->room -= bytes;
}

/* Marks a value that no document can hold; raises where only plain data is accepted. */
static void become_other(
    const struct taking *t, struct node *n, const char *what, const struct where *at)
{
	char why[128];

	if (t->plain) {
		(void)snprintf(why, sizeof(why),
		    "%s is not plain data: expected strings, numbers, booleans or tables of them",
		    what);
		refuse_at(t->L, at, why);
	}
	n->kind = NODE_OTHER;
	n->text = mem_copy(what);
	n->length = strlen(what);
}

/* stack: ... text -> ... text */
static void take_text(struct taking *t, struct node *into, const struct where *at)
{
	size_t length;
	const char *text = lua_tolstring(t->L, -1, &length);

	spend(t, length, at);
	if (t->plain && memchr(text, '\0', length) != NULL)
		refuse_at(t->L, at, "a string with a NUL in it");
	into->kind = NODE_STRING;
	into->text = mem_copy_n(text, length);
	into->length = length;
}

/* stack: ... number -> ... number */
static void take_number(const struct taking *t, struct node *into, const struct where *at)
{
	int whole = 0;
	/* A float with an integral value too: a script may have computed it. */
	lua_Integer integer = lua_tointegerx(t->L, -1, &whole);
	lua_Number number = lua_tonumber(t->L, -1);

	if (t->plain && !lua_isinteger(t->L, -1))
		whole = 0;
	if (t->plain && !isfinite(number))
		refuse_at(t->L, at, isnan(number) ? "not a number (NaN)" : "an infinite number");
	into->kind = whole ? NODE_INT : NODE_NUMBER;
	if (whole)
		into->integer = integer;
	else
		into->number = number;
}

/* Names the first gap of the list on the top by its index in Lua. */
/* stack: ... list -> ... list */
static const char *explain_gap(lua_State *L, char text[WHY_TEXT])
{
	lua_Integer place = 1;

	while (lua_rawgeti(L, -1, place) != LUA_TNIL) {
		lua_pop(L, 1);
		place++;
	}
	lua_pop(L, 1);
	(void)snprintf(text, WHY_TEXT, "a list with gaps ([%lld] is nil)", (long long)place);
	return text;
}

/*
 * Judges the table on the top by its keys.  Returns false with *why, perhaps inside `text`, when no
 * document can hold the table.
 */
/* stack: ... table -> ... table */
static bool classify(
    lua_State *L, enum node_kind *kind, lua_Integer *count, const char **why, char text[WHY_TEXT])
{
	lua_Integer named = 0, indexed = 0, highest = 0;

	for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
		if (lua_type(L, -2) == LUA_TSTRING) {
			size_t length;
			const char *key = lua_tolstring(L, -2, &length);

			named++;
			if (strlen(key) != length)
				*why = "a table with a NUL in a key";
		} else if (lua_isinteger(L, -2) && lua_tointeger(L, -2) > 0) {
			indexed++;
			if (lua_tointeger(L, -2) > highest)
				highest = lua_tointeger(L, -2);
		} else {
			*why = "a table with a key that is neither a name nor a place in a list";
		}
	}
	if (*why != NULL)
		return false;
	if (named > 0 && indexed > 0)
		*why = "a table with both list and named entries";
	else if (highest != indexed)
		*why = explain_gap(L, text);
	*count = indexed;
	*kind = named > 0 ? NODE_OBJECT : indexed > 0 ? NODE_LIST : NODE_EMPTY;
	return *why == NULL;
}

/* Returns whether the table inherits keys: they are not in the table, so a copy would lose them. */
/* stack: ... -> ... */
static bool has_hidden_keys(lua_State *L, int index)
{
	static const char *const fields[] = { "__index", "__pairs" };
	bool found = false;

	if (!lua_getmetatable(L, index))
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		lua_pushstring(L, fields[i]);
		if (lua_rawget(L, -2) != LUA_TNIL)
			found = true;
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return found;
}

static void take_value(struct taking *t, struct node *into, const struct where *at, int depth);

/* Copies the value on the top into a new child, which is in the tree before anything can raise. */
/* stack: ... value -> ... value */
static void take_child(struct taking *t, struct node *into, const struct where *at, int depth)
{
	struct node *child = node_new(NODE_NULL);

	if (at->key != NULL)
		node_name(child, at->key);
	node_append(into, child);
	spend(t, NODE_COST + (at->key != NULL ? strlen(at->key) : 0), at);
	take_value(t, child, at, depth + 1);
}

/* stack: ... list -> ... list */
static void take_entries(
    struct taking *t, struct node *into, lua_Integer count, const struct where *at, int depth)
{
	lua_State *L = t->L;

	for (lua_Integer i = 1; i <= count; i++) {
		struct where here = { .up = at, .index = (size_t)i - 1 };

		lua_rawgeti(L, -1, i);
		take_child(t, into, &here, depth);
		lua_pop(L, 1);
	}
}

/* stack: ... table -> ... table */
static void take_fields(struct taking *t, struct node *into, const struct where *at, int depth)
{
	lua_State *L = t->L;

	for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
		struct where here = { .up = at, .key = lua_tostring(L, -2) };

		take_child(t, into, &here, depth);
	}
	node_sort(into);
}

/* stack: ... table -> ... table */
static void take_table(struct taking *t, struct node *into, const struct where *at, int depth)
{
	static const enum node_kind empty[] = {
		[MARK_NONE] = NODE_EMPTY,
		[MARK_LIST] = NODE_LIST,
		[MARK_OBJECT] = NODE_OBJECT,
	};

	_Static_assert(sizeof(empty) / sizeof(*empty) == MARKS, "a kind for each mark");
	const char *why = NULL;
	char text[WHY_TEXT];
	enum node_kind kind;
	lua_Integer count;

	if (depth >= MAX_VALUES_DEPTH)
		refuse_at(t->L, at,
		    "nested deeper than " STR_LITERAL(
			MAX_VALUES_DEPTH) " levels (does a table contain itself?)");
	luaL_checkstack(t->L, 6, "a document");
	if (has_hidden_keys(t->L, -1))
		why = "a table that inherits keys through its metatable";
	if (why != NULL || !classify(t->L, &kind, &count, &why, text)) {
		become_other(t, into, why, at);
		return;
	}
	into->kind = kind == NODE_EMPTY ? empty[values_get_mark(t->L, -1)] : kind;
	if (kind == NODE_LIST)
		take_entries(t, into, count, at, depth);
	else if (kind == NODE_OBJECT)
		take_fields(t, into, at, depth);
}

/* stack: ... value -> ... value */
static void take_value(struct taking *t, struct node *into, const struct where *at, int depth)
{
	lua_State *L = t->L;

	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN:
		into->kind = NODE_BOOL;
		into->truth = lua_toboolean(L, -1) != 0;
		break;
	case LUA_TNUMBER:
		take_number(t, into, at);
		break;
	case LUA_TSTRING:
		take_text(t, into, at);
		break;
	case LUA_TTABLE:
		if (values_push_content(L)) {
			take_table(t, into, at, depth);
			lua_pop(L, 1);
		} else {
			take_table(t, into, at, depth);
		}
		break;
	case LUA_TFUNCTION:
		if (t->plain)
			become_other(t, into, "a function", at);
		into->kind = NODE_FUNCTION;
		break;
	case LUA_TLIGHTUSERDATA:
		if (lua_touserdata(L, -1) == NULL)
			into->kind = NODE_NULL;
		else
			become_other(t, into, "a pointer", at);
		break;
	case LUA_TNIL:
		into->kind = NODE_NULL;
		break;
	case LUA_TTHREAD:
		become_other(t, into, "a coroutine", at);
		break;
	default:
		become_other(t, into, "a userdata", at);
	}
}

/* stack: ... -> ... */
static void take_root(struct taking *t, int index, const struct where *at, struct node **out)
{
	lua_pushvalue(t->L, index);
	*out = node_new(NODE_NULL);
	take_value(t, *out, at, 0);
	lua_pop(t->L, 1);
}

/* stack: ... -> ... */
void values_take(lua_State *L, int index, struct node **out)
{
	struct taking t = { .L = L, .room = script_of(L)->cap_bytes };

	take_root(&t, index, NULL, out);
}

/* stack: ... -> ... */
void values_take_plain(lua_State *L, int index, const char *name, struct node **out)
{
	struct taking t = { .L = L, .room = script_of(L)->cap_bytes, .plain = true };
	struct where root = { .key = name };

	take_root(&t, index, &root, out);
}
