/* Lua values as JSON, and JSON as Lua values. */
#include "luamodule/values.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/str.h"
#include "luamodule/hold.h"

static const char list_key; /* its address is the key of the metatable in the registry */

/* stack: table -> table; an empty one is a list from now on */
static void mark_list(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &list_key) == LUA_TNIL) {
		lua_pop(L, 1);
		lua_createtable(L, 0, 1);
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &list_key);
	}
	lua_setmetatable(L, -2);
}

/* stack: table -> table */
static bool is_marked(lua_State *L)
{
	bool is_same;

	if (lua_getmetatable(L, -1) == 0)
		return false;
	(void)lua_rawgetp(L, LUA_REGISTRYINDEX, &list_key);
	is_same = lua_rawequal(L, -1, -2) != 0;
	lua_pop(L, 2);
	return is_same;
}

/* Pushes an integer, or a float for what no integer of Lua holds. */
static void push_number(lua_State *L, const char *digits, size_t n)
{
	char text[MAX_JSON_NUMBER + 1];
	long long integer;

	memcpy(text, digits, n);
	text[n] = '\0';
	errno = 0;
	integer = strtoll(text, NULL, 10);
	if (strpbrk(text, ".eE") != NULL || errno != 0)
		lua_pushnumber(L, json_double(text));
	else
		lua_pushinteger(L, integer);
}

static void push_string(lua_State *L, const struct json *j, const struct json_token *token)
{
	size_t length;
	char *text;

	if (!token->escapes) { /* the text stands between the quotes */
		(void)lua_pushlstring(L, j->text + token->offset + 1, token->length - 2);
		return;
	}
	text = json_text(j, token, &length);
	(void)lua_pushlstring(L, text, length);
	free(text);
}

/* Pushes the light userdata that stands for null while its object is read. */
static void push_null(lua_State *L)
{
	lua_pushlightuserdata(L, NULL);
}

/* Pushes the value that begins with this token. */
static void push_value(lua_State *L, const struct json *j, const struct json_token *token)
{
	switch (token->type) {
	case JSON_OBJECT:
	case JSON_LIST:
		lua_newtable(L);
		break;
	case JSON_STRING:
		push_string(L, j, token);
		break;
	case JSON_NUMBER:
		push_number(L, j->text + token->offset, token->length);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		lua_pushboolean(L, token->type == JSON_TRUE);
		break;
	default:
		push_null(L);
	}
}

/* stack: object key -> object key; returns whether the object has the key */
static bool has_key(lua_State *L)
{
	bool has;

	lua_pushvalue(L, -1);
	has = lua_rawget(L, -3) != LUA_TNIL;
	lua_pop(L, 1);
	return has;
}

/* stack: table -> table; its members and entries that are null become nil */
static void drop_nulls(lua_State *L)
{
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		bool is_null = lua_islightuserdata(L, -1);

		lua_pop(L, 1);
		if (!is_null)
			continue;
		lua_pushvalue(L, -1);
		lua_pushnil(L);
		lua_rawset(L, -4);
	}
}

/* The objects and lists that are open.  They are on the stack, an object below its open member. */
struct open {
	int depth;
	lua_Integer entries[MAX_JSON_DEPTH + 1]; /* the next one of a list; 0: an object */
	bool has_null[MAX_JSON_DEPTH + 1];
};

/* stack: container -> value; ends the innermost container */
static void end_container(lua_State *L, struct open *open)
{
	if (open->has_null[open->depth])
		drop_nulls(L);
	/* Without an entry, or with entries that are nil, it would look like an object. */
	if (open->entries[open->depth] == 1 ||
	    (open->entries[open->depth] > 1 && open->has_null[open->depth]))
		mark_list(L);
	open->depth--;
}

/* stack: container [key] value -> container; for the document itself, value -> value */
static void store(lua_State *L, struct open *open)
{
	int depth = open->depth;

	if (depth == 0)
		return;
	open->has_null[depth] = open->has_null[depth] || lua_islightuserdata(L, -1);
	if (open->entries[depth] > 0)
		lua_rawseti(L, -2, open->entries[depth]++);
	else
		lua_rawset(L, -3);
}

/*
 * Reads the text; at the end its value is on the top of the stack.  Returns the reason if it is
 * malformed, and the place in *at.
 */
static const char *read_text(lua_State *L, struct json *j, size_t *at)
{
	struct open open = { .depth = 0 };
	struct json_token token;

	while (json_next(j, &token) != JSON_END) {
		*at = token.type == JSON_ERROR ? j->at : token.offset;
		if (token.type == JSON_ERROR)
			return j->error;
		if (token.type == JSON_KEY) {
			push_string(L, j, &token);
			if (has_key(L))
				return "duplicate key";
		} else if (token.type == JSON_OBJECT_END || token.type == JSON_LIST_END) {
			end_container(L, &open);
			store(L, &open);
		} else {
			push_value(L, j, &token);
			if (token.type != JSON_OBJECT && token.type != JSON_LIST) {
				store(L, &open);
				continue;
			}
			open.depth++;
			open.entries[open.depth] = token.type == JSON_LIST;
			open.has_null[open.depth] = false;
		}
	}
	return NULL;
}

bool values_push(lua_State *L, const char *text, size_t length)
{
	int top = lua_gettop(L);
	struct json j;
	const char *why;
	size_t at = 0, line, column;

	luaL_checkstack(L, 2 * MAX_JSON_DEPTH + LUA_MINSTACK, "JSON");
	json_start(&j, text, length);
	why = read_text(L, &j, &at);
	if (why == NULL) {
		if (lua_islightuserdata(L, -1)) {
			lua_pop(L, 1);
			lua_pushnil(L);
		}
		return true;
	}
	lua_settop(L, top);
	json_line(text, at, &line, &column);
	(void)lua_pushfstring(L, "%I:%I: %s", (LUAI_UACINT)line, (LUAI_UACINT)column, why);
	return false;
}

bool values_push_lent(lua_State *L, const char *text)
{
	size_t length;
	const char *copy;
	bool is_json;

	if (text == NULL) {
		lua_pushnil(L);
		return true;
	}
	copy = lua_pushstring(L, text);
	length = lua_rawlen(L, -1);
	is_json = values_push(L, copy, length);
	lua_remove(L, -2);
	return is_json;
}

/* Where a value is that JSON cannot have. */
struct encoding {
	lua_State *L;
	struct str json;
	const char *key; /* of the innermost member; NULL: the whole value, or an entry of a list */
	const char *why; /* NULL: none was found */
};

static bool add_value(struct encoding *e, const char *key, int depth);

static bool fail(struct encoding *e, const char *key, const char *why)
{
	e->why = why;
	e->key = key;
	return false;
}

static bool add_string(struct encoding *e, const char *key)
{
	size_t length;
	const char *text = lua_tolstring(e->L, -1, &length);

	if (strlen(text) != length)
		return fail(e, key, "a string with a NUL");
	json_add_text(&e->json, key, text);
	return true;
}

static bool add_number(struct encoding *e, const char *key)
{
	lua_Number number = lua_tonumber(e->L, -1);

	if (lua_isinteger(e->L, -1))
		json_add_int(&e->json, key, lua_tointeger(e->L, -1));
	else if (!isfinite(number))
		return fail(e, key, "a number that is not finite");
	else
		json_add_number(&e->json, key, number);
	return true;
}

/* stack: table -> table */
static bool add_list(struct encoding *e, const char *key, size_t count, int depth)
{
	bool is_added = true;

	json_begin_list(&e->json, key);
	for (size_t i = 1; is_added && i <= count; i++) {
		(void)lua_rawgeti(e->L, -1, (lua_Integer)i);
		is_added = add_value(e, NULL, depth);
		lua_pop(e->L, 1);
	}
	json_end_list(&e->json);
	return is_added;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* stack: table -> table; the members are sorted, so that the same table is the same text */
static bool add_object(
    struct encoding *e, const char *key, const char **keys, size_t count, int depth)
{
	bool is_added = true;

	if (count > 1)
		qsort(keys, count, sizeof(*keys), compare_keys);
	json_begin_object(&e->json, key);
	for (size_t i = 0; is_added && i < count; i++) {
		(void)lua_pushstring(e->L, keys[i]);
		(void)lua_rawget(e->L, -2);
		is_added = add_value(e, keys[i], depth);
		lua_pop(e->L, 1);
	}
	json_end_object(&e->json);
	return is_added;
}

/* What the keys of a table are. */
struct keys {
	size_t entries;	      /* keys from 1 to the length of the table */
	size_t others;	      /* neither these nor names */
	const char **strings; /* lent by the table */
	size_t count;
};

/* stack: table -> table */
static void read_keys(lua_State *L, struct keys *keys)
{
	lua_Integer length = (lua_Integer)lua_rawlen(L, -1);

	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		lua_pop(L, 1);
		if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 &&
		    lua_tointeger(L, -1) <= length) {
			keys->entries++;
		} else if (lua_type(L, -1) != LUA_TSTRING ||
		    strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1)) {
			keys->others++;
		} else {
			keys->strings =
			    mem_grow(keys->strings, keys->count, sizeof(*keys->strings));
			keys->strings[keys->count++] = lua_tostring(L, -1);
		}
	}
}

/* stack: table -> table */
static bool add_table(struct encoding *e, const char *key, int depth)
{
	struct keys keys = { 0 };
	size_t length = lua_rawlen(e->L, -1);
	bool is_added;

	if (depth == MAX_JSON_DEPTH)
		return fail(e, key, "tables that are nested too deeply, or contain themselves");
	read_keys(e->L, &keys);
	if (keys.others > 0 || keys.entries != length || (length > 0 && keys.count > 0))
		is_added =
		    fail(e, key, "a table whose keys are neither all names nor 1, 2, 3, ...");
	else if (length > 0 || (keys.count == 0 && is_marked(e->L)))
		is_added = add_list(e, key, length, depth + 1);
	else
		is_added = add_object(e, key, keys.strings, keys.count, depth + 1);
	free(keys.strings);
	return is_added;
}

/* stack: value -> value */
static bool add_value(struct encoding *e, const char *key, int depth)
{
	switch (lua_type(e->L, -1)) {
	case LUA_TNIL:
		json_add_null(&e->json, key);
		return true;
	case LUA_TBOOLEAN:
		json_add_bool(&e->json, key, lua_toboolean(e->L, -1));
		return true;
	case LUA_TNUMBER:
		return add_number(e, key);
	case LUA_TSTRING:
		return add_string(e, key);
	case LUA_TTABLE:
		return add_table(e, key, depth);
	default:
		return fail(
		    e, key, lua_isfunction(e->L, -1) ? "a function" : "a userdata or a thread");
	}
}

void values_encode(lua_State *L, int argument)
{
	struct encoding e = { .L = L };
	bool held, is_added;

	luaL_checkstack(L, 4 * MAX_JSON_DEPTH + LUA_MINSTACK, "JSON");
	held = hold_begin(L); /* the keys are lent by the tables */
	lua_pushvalue(L, argument);
	is_added = add_value(&e, NULL, 0);
	lua_pop(L, 1);
	if (is_added)
		(void)lua_pushlstring(L, e.json.text, e.json.length);
	else if (e.key == NULL)
		(void)lua_pushfstring(L, "JSON has no form for %s", e.why);
	else
		(void)lua_pushfstring(L, "key \"%s\": JSON has no form for %s", e.key, e.why);
	str_free(&e.json);
	hold_end(L, held);
	if (!is_added)
		luaL_argerror(L, argument, lua_tostring(L, -1));
	lua_replace(L, argument);
}

int module_as_list(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	mark_list(L);
	return 1;
}

int module_decode(lua_State *L)
{
	size_t length;
	const char *text = luaL_checklstring(L, 1, &length);

	if (values_push(L, text, length))
		return 1;
	lua_pushnil(L);
	lua_insert(L, -2);
	return 2;
}

int module_encode(lua_State *L)
{
	luaL_checkany(L, 1);
	values_encode(L, 1);
	lua_settop(L, 1);
	return 1;
}
