/* Options of a function as rows, to fill in a struct of the library from a Lua table. */
#ifndef LUAMODULE_OPTIONS_H
#define LUAMODULE_OPTIONS_H

#include <stddef.h>

#include <lua.h>

enum option_kind {
	OPTION_TEXT,
	OPTION_FLAG,
	OPTION_WORDS, /* a list of strings */
	OPTION_PAIRS, /* a table of values by name, or a list of "NAME=VALUE" */
	OPTION_INT,
	OPTION_INT64,
	OPTION_FUNCTION, /* kept in a uservalue */
};

struct option {
	const char *name;
	enum option_kind kind;
	size_t offset; /* in the struct; OPTION_FUNCTION: the number of the uservalue */
};

/* Where a function that takes options has them on the stack. */
enum {
	AT_TABLE = 1, /* the options; options_begin() makes { file = NAME } of a string */
	AT_KEEPER,    /* a userdata for the functions, or nil if no row is a function */
	AT_KEPT,      /* a table with what the members of the struct point to */
};

/* Leaves the table of options alone on the stack; raises for another argument. */
void options_begin(lua_State *L);
/* Sets the members of `into`; raises for an unknown option and for a value of another type. */
void options_read(lua_State *L, const struct option *rows, size_t count, void *into);
/* Returns the number of bytes of an option that is a string; 0 if it is not set. */
size_t options_length(lua_State *L, const char *name);

#endif
