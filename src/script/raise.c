/* The place of an error in a script: its line, and the frames of its traceback. */
#include <stdio.h>
#include <string.h>

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

static bool is_engine_line(const char *line)
{
	return str_after(line, "\t" OWN_CHUNK) != NULL;
}

/* Returns whether a frame is the user's: not vmrun's, not C, and not "(...tail calls...)". */
static bool is_user_line(const char *line)
{
	return !is_engine_line(line) && str_after(line, "\t[C]") == NULL &&
	    str_after(line, "\t(") == NULL;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end == NULL ? line + strlen(line) : end + 1;
}

/* Returns whether a frame is vmrun's: of its modules, or of a C function that one of them calls. */
static bool is_own_line(const char *line)
{
	return is_engine_line(line) ||
	    (str_after(line, "\t[C]") != NULL && is_engine_line(next_line(line)));
}

/* Adds the frames from the innermost to the user's last one, without vmrun's own. */
static void add_frames(luaL_Buffer *b, const char *trace)
{
	const char *first = next_line(trace), *end = first;

	for (const char *line = first; *line != '\0'; line = next_line(line)) {
		if (is_user_line(line))
			end = next_line(line);
	}
	if (end == first)
		return;
	luaL_addstring(b, "\nstack traceback:");
	for (const char *line = first; line < end; line = next_line(line)) {
		if (!is_own_line(line)) {
			luaL_addchar(b, '\n');
			luaL_addlstring(b, line, strcspn(line, "\n"));
		}
	}
}

/* stack: ... -> ... frames */
void script_push_frames(lua_State *L, lua_State *from, int level)
{
	const char *trace;
	luaL_Buffer b;

	luaL_traceback(L, from, NULL, level);
	trace = lua_tostring(L, -1);
	luaL_buffinit(L, &b);
	add_frames(&b, trace);
	luaL_pushresult(&b);
	lua_remove(L, -2);
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
