/* The C functions that the modules of lua/ need.  Scripts reach them only through those modules. */
#include "script/script_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/near.h"
#include "base/pattern.h"
#include "base/str.h"
#include "platform/os.h"
#include "script/libraries.h"
#include "script/embedded.h"
#include "script/loading.h"
#include "script/values.h"
#include "script/views.h"

/* Bytes of a message: thousands may wait for their reader, outside the memory cap. */
#define MAX_LOG_TEXT 8000

static const char engine_key;

static const struct embedded *find_module(const char *name)
{
	for (const struct embedded *e = embedded_lua; e->name != NULL; e++) {
		if (strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

/* import(name): returns the value of a module of lua/, which is parsed at its first import. */
/* stack: name -> module */
static int api_import(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	const struct embedded *module;

	lua_settop(L, 1);
	lua_pushvalue(L, 1);
	if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
		return 1;
	module = find_module(name);
	if (module == NULL)
		return luaL_error(L, OWN_CHUNK "api]: no module %s", name);
	lua_pushfstring(L, "=" OWN_CHUNK "%s]", name);
	if (luaL_loadbufferx(
		L, (const char *)module->text, module->length, lua_tostring(L, -1), "bt") != LUA_OK)
		return lua_error(L);
	lua_pushvalue(L, lua_upvalueindex(3)); /* vmrun's globals, not those of scripts */
	(void)lua_setupvalue(L, -2, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_call(L, 1, 1);
	lua_pushvalue(L, 1);
	lua_pushvalue(L, -2);
	lua_rawset(L, lua_upvalueindex(2));
	return 1;
}

/* Returns the name of a stock hook; NULL for any other entry. */
static const char *stock_name(const struct embedded *e)
{
	return str_after(e->name, EMBEDDED_HOOKS);
}

/* stack: ... -> ... names */
static int push_stock_names(lua_State *L)
{
	lua_Integer count = 0;

	lua_newtable(L);
	for (const struct embedded *e = embedded_lua; e->name != NULL; e++) {
		if (stock_name(e) == NULL)
			continue;
		lua_pushstring(L, stock_name(e));
		lua_rawseti(L, -2, ++count);
	}
	return 1;
}

/*
 * stock(name): returns the chunk of a stock hook, or nothing; the chunk has the current globals of
 * scripts.  stock(): returns the names of all.
 */
/* stack: [name] -> chunk | names | nothing */
static int api_stock(lua_State *L)
{
	const char *wanted = luaL_optstring(L, 1, NULL);

	if (wanted == NULL)
		return push_stock_names(L);
	for (const struct embedded *e = embedded_lua; e->name != NULL; e++) {
		const char *name = stock_name(e);

		if (name == NULL || strcmp(name, wanted) != 0)
			continue;
		lua_pushfstring(L, "@%s.lua", e->name);
		if (luaL_loadbufferx(
			L, (const char *)e->text, e->length, lua_tostring(L, -1), "bt") != LUA_OK)
			return lua_error(L);
		return 1;
	}
	return 0;
}

/*
 * open_world(): makes the globals of scripts.  Returns them and two more tables that use_world()
 * needs.
 */
/* stack: -> globals loaded strings */
static int api_open_world(lua_State *L)
{
	script_watch(L);
	libraries_open_world(L);
	return 3;
}

/* use_world(tables): returns to the world of which open_world() returned these tables. */
/* stack: tables -> */
static int api_use_world(lua_State *L)
{
	for (int i = 1; i <= 3; i++)
		(void)lua_rawgeti(L, 1, i);
	libraries_use_world(L);
	return 0;
}

/*
 * mark(table): returns the mark of an empty table, "list", "object" or nothing.
 * mark(table, kind): sets the mark.
 */
/* stack: table [kind] -> kind | nothing */
static int api_mark(lua_State *L)
{
	static const char *const names[] = {
		[MARK_NONE] = "",
		[MARK_LIST] = "list",
		[MARK_OBJECT] = "object",
		[MARKS] = NULL,
	};

	_Static_assert(
	    sizeof(names) / sizeof(*names) == MARKS + 1, "a name for each mark, and a NULL");
	enum values_mark mark;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	if (!lua_isnil(L, 2)) {
		values_set_mark(L, 1, (enum values_mark)luaL_checkoption(L, 2, NULL, names));
		return 0;
	}
	lua_settop(L, 1);
	(void)values_push_content(L);
	mark = values_get_mark(L, -1);
	if (mark == MARK_NONE)
		return 0;
	lua_pushstring(L, names[mark]);
	return 1;
}

/* hooking(): refuses functions that block until the end of this call. */
/* stack: -> */
static int api_hooking(lua_State *L)
{
	script_of(L)->in_hook = true;
	return 0;
}

/* stack: ... -> answer */
static int wait_end(lua_State *L, int status, lua_KContext unused)
{
	(void)status;
	(void)unused;
	values_push(L, script_of(L)->answer);
	return 1;
}

/* wait(request): gives control up until the caller answers; returns the answer. */
/* stack: request -> answer */
static int api_wait(lua_State *L)
{
	struct script *s = script_of(L);

	if (!lua_isyieldable(L) || s->unyielding > 0)
		luaL_error(L, "cannot wait here");
	values_take(L, 1, &s->request);
	return lua_yieldk(L, 0, 0, wait_end);
}

/* can_wait(): returns whether the script can wait: not inside a C function such as table.sort. */
/* stack: -> boolean */
static int api_can_wait(lua_State *L)
{
	lua_pushboolean(L, lua_isyieldable(L) && script_of(L)->unyielding == 0);
	return 1;
}

/* near(word, names): returns the name that was probably meant, or nothing. */
/* stack: word names -> [name] */
static int api_near(lua_State *L)
{
	struct near near = { .wanted = luaL_checkstring(L, 1) };
	lua_Integer count;

	luaL_checktype(L, 2, LUA_TTABLE);
	count = luaL_len(L, 2);
	for (lua_Integer i = 1; i <= count; i++) {
		/* The table keeps the string alive when it has left the stack. */
		if (lua_rawgeti(L, 2, i) == LUA_TSTRING)
			near_offer(&near, lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	if (near.best == NULL)
		return 0;
	lua_pushstring(L, near.best);
	return 1;
}

/*
 * regex(ere): compiles a regular expression, to find its errors before a hook waits for it. Returns
 * the number of its groups, or nil and the reason.
 */
/* stack: ere -> groups | nil reason */
static int api_regex(lua_State *L)
{
	size_t length;
	const char *ere = luaL_checklstring(L, 1, &length);
	struct pattern *pattern = NULL;
	struct error err = { 0 };

	if (pattern_compile(&pattern, ere, length, &err) == 0) {
		lua_Integer groups = (lua_Integer)pattern_groups(pattern);

		pattern_free(pattern);
		lua_pushinteger(L, groups);
		return 1;
	}
	script_drop_lent(script_of(L));
	luaL_pushfail(L);
	script_push_error(L, &err);
	return 2;
}

/* check_plain(value, name): raises "name.key: why" for a value that is not plain data. */
/* stack: value name -> */
static int api_check_plain(lua_State *L)
{
	struct script *s = script_of(L);
	const char *name = luaL_checkstring(L, 2);

	script_drop_lent(s);
	values_take_plain(L, 1, name, &s->lent);
	script_drop_lent(s);
	return 0;
}

/*
 * framed(function): makes a C function that calls it.  A tail call of a Lua function would drop the
 * frame of the script, and with it the place of an error; one of a C function keeps it.
 */
/* stack: function -> function */
static int api_framed(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_pushcclosure(L, libraries_pass, 1);
	return 1;
}

/* raise(text): raises an error at the user's line. */
/* stack: text -> (raises) */
static int api_raise(lua_State *L)
{
	lua_settop(L, 1);
	return script_raise(L);
}

/* stack: level text -> */
static int api_log(lua_State *L)
{
	struct script *s = script_of(L);
	const char *level = luaL_checkstring(L, 1), *text;
	size_t length;

	text = luaL_checklstring(L, 2, &length);
	/* A NUL would end the message. */
	if (memchr(text, '\0', length) != NULL)
		text = script_push_visible(L, text, length);
	if (length > MAX_LOG_TEXT)
		text = lua_pushfstring(L, "%s...", lua_pushlstring(L, text, MAX_LOG_TEXT));
	script_note_said(s);
	if (s->log != NULL)
		s->log(s->context, level, text);
	return 0;
}

/* exists(path): returns false in the sandbox for a path that is not allowed. */
/* stack: path -> boolean */
static int api_exists(lua_State *L)
{
	struct script *s = script_of(L);
	const char *path = luaL_checkstring(L, 1);
	char *real = NULL;
	bool allowed = s->sandbox == NULL || sandbox_allows_path(s->sandbox, path, &real);

	free(real);
	lua_pushboolean(L, allowed && access(path, F_OK) == 0);
	return 1;
}

/* stack: name -> value | nil */
static int api_getenv(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);

	lua_pushstring(L, script_of(L)->sandbox == NULL ? getenv(name) : NULL);
	return 1;
}

/* host(): returns { os, release, hypervisor } */
/* stack: -> host */
static int api_host(lua_State *L)
{
	lua_createtable(L, 0, 3);
	lua_pushstring(L, os_name());
	lua_setfield(L, -2, "os");
	lua_pushinteger(L, os_bhyve_release());
	lua_setfield(L, -2, "release");
	lua_pushstring(L, script_of(L)->hypervisor);
	lua_setfield(L, -2, "hypervisor");
	return 1;
}

/* stack: ... -> ... args */
static void push_args(lua_State *L)
{
	const struct pairs *args = script_of(L)->args;

	lua_newtable(L);
	for (size_t i = 0; args != NULL && i < args->count; i++) {
		lua_pushstring(L, args->item[i].value);
		lua_setfield(L, -2, args->item[i].key);
	}
}

/* stack: ... -> ... */
void api_open(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "load_json", loading_json },
		{ "open_world", api_open_world },
		{ "use_world", api_use_world },
		{ "stock", api_stock },
		{ "mark", api_mark },
		{ "next", views_next },
		{ "rawget", views_rawget },
		{ "hooking", api_hooking },
		{ "wait", api_wait },
		{ "can_wait", api_can_wait },
		{ "near", api_near },
		{ "regex", api_regex },
		{ "check_plain", api_check_plain },
		{ "framed", api_framed },
		{ "raise", api_raise },
		{ "log", api_log },
		{ "exists", api_exists },
		{ "getenv", api_getenv },
		{ "host", api_host },
		{ NULL, NULL },
	};

	values_open(L);
	lua_getglobal(L, "error");
	script_of(L)->error = lua_tocfunction(L, -1);
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	vmrun_state_open(L);
	callbacks_open(L);
	lua_pushlightuserdata(L, NULL);
	lua_setfield(L, -2, "null");
	lua_pushlightuserdata(L, values_content_key());
	lua_setfield(L, -2, "content_key");
	lua_pushboolean(L, script_of(L)->sandbox != NULL);
	lua_setfield(L, -2, "sandbox");
	lua_pushboolean(L, script_of(L)->dry_run);
	lua_setfield(L, -2, "dry_run");
	push_args(L);
	lua_setfield(L, -2, "args");
	lua_pushstring(L, script_of(L)->run_dir);
	lua_setfield(L, -2, "run_dir");
	lua_pushstring(L, script_of(L)->state_dir);
	lua_setfield(L, -2, "state_dir");
	lua_pushvalue(L, -1);
	lua_newtable(L);
	lua_pushglobaltable(L);
	lua_pushcclosure(L, api_import, 3);
	lua_pushvalue(L, -1);
	lua_setfield(L, -3, "import");
	lua_pushliteral(L, "engine");
	lua_call(L, 1, 1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &engine_key);
	lua_pop(L, 1);
}

/* stack: ... -> ... engine */
void api_push_engine(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &engine_key);
}
