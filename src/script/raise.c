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

	script_find_place(L, place, sizeof(place));
	lua_pushfstring(L, "%s%s", place, luaL_checkstring(L, -1));
	return lua_error(L);
}

void script_refuse_in_hook(lua_State *L, const char *what)
{
	if (script_of(L)->in_hook)
		luaL_error(L, "%s inside a hook would stop the supervisor while it waits", what);
}
