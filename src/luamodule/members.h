/* Members of the library's structs as rows, to make Lua tables from them. */
#ifndef LUAMODULE_MEMBERS_H
#define LUAMODULE_MEMBERS_H

#include <stddef.h>

#include <lua.h>

enum member_kind {
	MEMBER_TEXT,  /* a const char *; NULL is left out of the table */
	MEMBER_WORDS, /* a const char *const *, NULL-terminated; NULL is left out */
	MEMBER_FLAG,  /* a bool */
	MEMBER_INT,
	MEMBER_INT64,
};

struct member {
	const char *name;
	enum member_kind kind;
	size_t offset;
};

/* Pushes a table with the members of the struct. */
void members_push(lua_State *L, const struct member *rows, size_t count, const void *from);
/* Pushes a list of strings; nil for NULL. */
void members_push_words(lua_State *L, const char *const *words);

#endif
