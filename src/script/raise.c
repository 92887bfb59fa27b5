/* Errors that are raised in scripts, with the place in the script. */
#include <stdio.h>

#include "base/str.h"
#include "script/script_internal.h"

void script_find_place(lua_State *L, char *place, size_t size)
{
	lua_Debug frame;

	place[0] = '\0';
	for (int level = 0; lua_getstack(L, level, &frame); level++) {
		(void)lua_getinfo(L, "Sl", &frame);
		if (frame.currentline < 0 || str_after(frame.short_src, OWN_CHUNK) != NULL)
			continue;
		(void)snprintf(place, size, "%s:%d: ", frame.short_src, frame.currentline);
		return;
	}
}

/* stack: ... text -> (raises) */
int script_raise(lua_State *L)
{
	char place[PLACE_SIZE];

	luaL_checktype(L, -1, LUA_TSTRING);
	script_find_place(L, place, sizeof(place));
	lua_pushstring(L, place);
	lua_insert(L, -2);
	lua_concat(L, 2); /* keeps a NUL, unlike lua_pushfstring() */
	return lua_error(L);
}

/* stack: ... -> ... text */
const char *script_push_visible(lua_State *L, const char *text, size_t length)
{
	luaL_Buffer b;
	char *copy = luaL_buffinitsize(L, &b, length);

	for (size_t i = 0; i < length; i++)
		copy[i] = text[i] == '\0' ? '?' : text[i];
	luaL_pushresultsize(&b, length);
	return lua_tostring(L, -1);
}

void script_refuse_in_hook(lua_State *L, const char *what)
{
	if (script_of(L)->in_hook)
		luaL_error(L,
		    "%s inside a hook would stop the supervisor while it waits: "
		    "use vmrun.exec",
		    what);
}
