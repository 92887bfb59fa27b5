/* Makes Lua tables from structs of the library. */
#include "luamodule/members.h"

#include <stdbool.h>
#include <stdint.h>

#include "luamodule/hold.h"

void members_push_words(lua_State *L, const char *const *words)
{
	bool held;

	if (words == NULL) {
		lua_pushnil(L);
		return;
	}
	held = hold_begin(L);
	lua_newtable(L);
	for (lua_Integer i = 0; words[i] != NULL; i++) {
		lua_pushstring(L, words[i]);
		lua_seti(L, -2, i + 1);
	}
	hold_end(L, held);
}

/* Pushes one member; nil for a NULL. */
static void push_member(lua_State *L, const struct member *row, const char *from)
{
	const void *at = from + row->offset;

	switch (row->kind) {
	case MEMBER_TEXT:
		lua_pushstring(L, *(const char *const *)at);
		break;
	case MEMBER_WORDS:
		members_push_words(L, *(const char *const *const *)at);
		break;
	case MEMBER_FLAG:
		lua_pushboolean(L, *(const bool *)at);
		break;
	case MEMBER_INT:
		lua_pushinteger(L, *(const int *)at);
		break;
	case MEMBER_INT64:
		lua_pushinteger(L, *(const int64_t *)at);
		break;
	}
}

void members_push(lua_State *L, const struct member *rows, size_t count, const void *from)
{
	bool held = hold_begin(L);

	lua_createtable(L, 0, (int)count);
	for (size_t i = 0; i < count; i++) {
		push_member(L, &rows[i], from);
		lua_setfield(L, -2, rows[i].name);
	}
	hold_end(L, held);
}
