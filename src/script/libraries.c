/*
 * Lua's libraries.  A script has all of them but the doors through which it could get away from the
 * limits of script_call(), stop the supervisor, or change the process around it.
 */
#include "script/libraries.h"

#include <string.h>

#include <lualib.h>

#include "script/os_time.h"
#include "script/loading.h"
#include "script/output.h"
#include "script/script_internal.h"

/* The function that a door stands before is upvalue 1, its helper (see the table) upvalue 2. */
static int pass_end(lua_State *L, int status, lua_KContext unused)
{
	(void)status;
	(void)unused;
	return lua_gettop(L);
}

static int pass(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, pass_end);
	return pass_end(L, LUA_OK, 0);
}

void doors_refuse_in_hook(lua_State *L, const char *what)
{
	if (script_of(L)->in_hook)
		luaL_error(L, "%s inside a hook would stop the supervisor while it waits", what);
}

/* Handlers run inside the hook when the deadline passes, and nothing can stop them there. */
static int door_xpcall(lua_State *L)
{
	if (script_of(L)->sandbox != NULL)
		return luaL_error(L, "xpcall is not in the sandbox: use pcall");
	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (!lua_rawequal(L, 2, lua_upvalueindex(2)))
		luaL_error(L,
		    "xpcall takes no other handler than debug.traceback here; "
		    "use pcall and look at what it returns");
	return pass(L);
}

/* No hook runs in a finalizer. */
static int door_setmetatable(lua_State *L)
{
	int type = lua_type(L, 2);

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	if (type == LUA_TTABLE) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L,
			    "__gc cannot be set here: no limit holds in a "
			    "finalizer; __close is there");
	}
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

static int body_end(lua_State *L, int status, lua_KContext unused)
{
	(void)unused;
	return status == LUA_OK || status == LUA_YIELD ? lua_gettop(L) : lua_error(L);
}

/*
 * Around the function (upvalue 1) of every coroutine of a script, for the reason that call.c gives:
 * what the hook stops must be caught in the thread that it stops.  The price is that
 * debug.traceback(co) has nothing to show of a coroutine that died.
 */
static int coroutine_body(lua_State *L)
{
	if (script_of(L)->expired)
		return luaL_error(L, "time limit reached");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	return body_end(L, lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, body_end), 0);
}

static int door_create(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_pushcclosure(L, coroutine_body, 1);
	return pass(L);
}

/*
 * coroutine.resume, and what coroutine.wrap returns.  A coroutine gives control up in three ways:
 * it yields to whoever resumed it; the deadline makes it yield, which nobody must take for an
 * answer; or it waits, and so does everybody up to the border.  Upvalue 1 resumes: with the
 * coroutine as its argument, which is kept at the bottom of the stack, or without one.
 */
static int go_on(lua_State *L, int status, lua_KContext is_wrapped);

static int call_resume(lua_State *L, int arguments, bool is_wrapped)
{
	struct script *s = script_of(L);
	bool blocks = !lua_isyieldable(L);
	int status = LUA_OK;

	/* Only where nobody can yield an error must be caught: the count goes down with it. */
	s->unyielding += blocks;
	if (blocks)
		status = lua_pcall(L, arguments, LUA_MULTRET, 0);
	else
		lua_call(L, arguments, LUA_MULTRET);
	s->unyielding -= blocks;
	if (s->expired)
		return script_leave(L);
	if (status != LUA_OK)
		return lua_error(L);
	if (s->request != NULL)
		return lua_yieldk(L, 0, is_wrapped, go_on);
	return lua_gettop(L) - 1;
}

/* The wait is over: whoever asked for it, further in, takes the answer. */
static int go_on(lua_State *L, int status, lua_KContext is_wrapped)
{
	(void)status;
	lua_settop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	if (is_wrapped)
		return call_resume(L, 0, true);
	lua_pushvalue(L, 1);
	return call_resume(L, 1, false);
}

static int door_resume(lua_State *L)
{
	int count = lua_gettop(L);

	luaL_argexpected(L, lua_isthread(L, 1), 1, "coroutine");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushvalue(L, 1);
	lua_rotate(L, 2, 2);
	return call_resume(L, count, false);
}

static int resume_wrapped(lua_State *L)
{
	int count = lua_gettop(L);

	lua_pushboolean(L, 1); /* where door_resume() has the coroutine */
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_rotate(L, 1, 2);
	return call_resume(L, count, true);
}

static int door_wrap(lua_State *L)
{
	(void)door_create(L);
	lua_pushcclosure(L, resume_wrapped, 1);
	return 1;
}

static int door_exit(lua_State *L)
{
	return luaL_error(L,
	    "os.exit would end the supervisor: "
	    "return vmrun.stop(status) from on_exit");
}

static int door_execute(lua_State *L)
{
	doors_refuse_in_hook(L, "os.execute");
	return pass(L);
}

static int door_popen(lua_State *L)
{
	doors_refuse_in_hook(L, "io.popen");
	return pass(L);
}

/* The locale is the whole process's: it can be asked for, not set. */
static int door_setlocale(lua_State *L)
{
	if (!lua_isnoneornil(L, 1))
		return 0;
	return pass(L);
}

static bool is_stdin(lua_State *L, int index)
{
	const luaL_Stream *stream = luaL_testudata(L, index, LUA_FILEHANDLE);

	return stream != NULL && stream->f == stdin;
}

static int door_file_read(lua_State *L)
{
	if (is_stdin(L, 1))
		doors_refuse_in_hook(L, "reading stdin");
	return pass(L);
}

/* io.read, and io.lines without a name: what they read is the default input, upvalue 2's answer. */
static int door_input(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(2));
	lua_call(L, 0, 1);
	if (is_stdin(L, -1))
		doors_refuse_in_hook(L, "reading stdin");
	lua_pop(L, 1);
	return pass(L);
}

static int door_lines(lua_State *L)
{
	return lua_isnoneornil(L, 1) ? door_input(L) : pass(L);
}

/* A function on the stack shows its callee: the ones behind our doors must not be found so. */
static int door_getinfo(lua_State *L)
{
	bool by_level = lua_type(L, 1) == LUA_TNUMBER || lua_isthread(L, 1);

	if (lua_type(L, 1) == LUA_TNUMBER) {
		lua_pushinteger(L, luaL_checkinteger(L, 1) + 1); /* this function is one more */
		lua_replace(L, 1);
	}
	(void)pass(L);
	if (by_level && lua_istable(L, -1)) {
		lua_getfield(L, -1, "func");
		if (lua_iscfunction(L, -1)) {
			lua_pushnil(L);
			lua_setfield(L, -3, "func");
		}
		lua_pop(L, 1);
	}
	return 1;
}

/* In the sandbox: what outlives the call, or weakens the limits, is not a stranger's to set. */
static int door_collect(lua_State *L)
{
	static const char *const known[] = { "collect", "count", "step", "isrunning", NULL };

	(void)luaL_checkoption(L, 1, "collect", known);
	return pass(L);
}

static const struct door {
	const char *library, *name;
	lua_CFunction door; /* NULL: there is no way through */
	const char *helper_library, *helper;
} doors[] = {
	{ "_G", "xpcall", door_xpcall, "debug", "traceback" },
	{ "_G", "setmetatable", door_setmetatable, NULL, NULL },
	{ "_G", "load", loading_load, NULL, NULL },
	{ "_G", "loadfile", loading_loadfile, NULL, NULL },
	{ "_G", "dofile", loading_dofile, NULL, NULL },
	{ "package", "loadlib", loading_loadlib, NULL, NULL },
	{ "_G", "print", output_print, NULL, NULL },
	{ "string", "dump", NULL, NULL, NULL },
	{ "coroutine", "create", door_create, NULL, NULL },
	{ "coroutine", "resume", door_resume, NULL, NULL },
	{ "coroutine", "wrap", door_wrap, NULL, NULL },
	{ "os", "exit", door_exit, NULL, NULL },
	{ "os", "execute", door_execute, NULL, NULL },
	{ "os", "setlocale", door_setlocale, NULL, NULL },
	{ "io", "popen", door_popen, NULL, NULL },
	{ "io", "read", door_input, "io", "input" },
	{ "io", "lines", door_lines, "io", "input" },
	{ "io", "write", output_io_write, "io", "output" },
	{ "debug", "getinfo", door_getinfo, NULL, NULL },
	/* With these a script could put __gc behind setmetatable's back, or open a door again. */
	{ "debug", "debug", NULL, NULL, NULL },
	{ "debug", "sethook", NULL, NULL, NULL },
	{ "debug", "getregistry", NULL, NULL, NULL },
	{ "debug", "getmetatable", NULL, NULL, NULL },
	{ "debug", "setmetatable", NULL, NULL, NULL },
	{ "debug", "getlocal", NULL, NULL, NULL },
	{ "debug", "setlocal", NULL, NULL, NULL },
	{ "debug", "getupvalue", NULL, NULL, NULL },
	{ "debug", "setupvalue", NULL, NULL, NULL },
	{ "debug", "upvaluejoin", NULL, NULL, NULL },
	{ "debug", "getuservalue", NULL, NULL, NULL },
	{ "debug", "setuservalue", NULL, NULL, NULL },
	{ "debug", "setcstacklimit", NULL, NULL, NULL },
};

static const struct door sandbox_doors[] = {
	{ "_G", "loadfile", NULL, NULL, NULL },
	{ "_G", "dofile", NULL, NULL, NULL },
	{ "_G", "collectgarbage", door_collect, NULL, NULL },
};

/* Pushes library.name as it is now; nil when there is no such library. */
static void push_original(lua_State *L, const char *library, const char *name)
{
	if (lua_getfield(L, -1, library) == LUA_TTABLE) {
		lua_getfield(L, -1, name);
		lua_remove(L, -2);
	}
}

/* Puts doors before the functions; the table of libraries is on the top. */
static void close_doors(lua_State *L, const struct door *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct door *d = &list[i];

		if (lua_getfield(L, -1, d->library) != LUA_TTABLE) {
			lua_pop(L, 1);
			continue; /* not in the sandbox */
		}
		lua_pushvalue(L, -2);
		push_original(L, d->library, d->name);
		lua_insert(L, -2);
		if (d->helper != NULL)
			push_original(L, d->helper_library, d->helper);
		else
			lua_pushnil(L);
		lua_remove(L, -2);
		if (d->door != NULL) {
			lua_pushcclosure(L, d->door, 2);
		} else {
			lua_pop(L, 2);
			lua_pushnil(L);
		}
		lua_setfield(L, -2, d->name);
		lua_pop(L, 1);
	}
}

/* The methods of open files, and their metatable: through it a script could set __gc. */
static void close_files(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "read", door_file_read },
		{ "lines", door_file_read },
		{ "write", output_file_write },
		{ NULL, NULL },
	};

	if (luaL_getmetatable(L, LUA_FILEHANDLE) != LUA_TTABLE) {
		lua_pop(L, 1);
		return; /* the sandbox has no files */
	}
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_getfield(L, -1, "__index");
	for (const luaL_Reg *m = methods; m->name != NULL; m++) {
		lua_getfield(L, -1, m->name);
		lua_pushcclosure(L, m->func, 1);
		lua_setfield(L, -2, m->name);
	}
	lua_pop(L, 2);
}

/*
 * Strings have one metatable in the whole state: what a script put there would meet the strings of
 * our modules.
 */
static void close_strings(lua_State *L)
{
	lua_pushliteral(L, "");
	(void)lua_getmetatable(L, -1);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
}

static void open_all(lua_State *L, const luaL_Reg *libraries)
{
	for (const luaL_Reg *l = libraries; l->func != NULL; l++) {
		luaL_requiref(L, l->name, l->func, 1);
		lua_pop(L, 1);
	}
}

void doors_open_core(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME, luaopen_base },
		{ LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string },
		{ LUA_MATHLIBNAME, luaopen_math },
		{ NULL, NULL },
	};

	open_all(L, libraries);
}

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

void doors_open_world(lua_State *L)
{
	static const luaL_Reg safe[] = {
		{ LUA_GNAME, luaopen_base },
		{ LUA_COLIBNAME, luaopen_coroutine },
		{ LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string },
		{ LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 },
		{ NULL, NULL },
	};
	static const luaL_Reg others[] = {
		{ LUA_LOADLIBNAME, luaopen_package },
		{ LUA_IOLIBNAME, luaopen_io },
		{ LUA_OSLIBNAME, luaopen_os },
		{ LUA_DBLIBNAME, luaopen_debug },
		{ NULL, NULL },
	};
	bool sandbox = script_of(L)->sandbox != NULL;

	lua_newtable(L);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	open_all(L, safe);
	if (!sandbox)
		open_all(L, others);
	lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	close_doors(L, doors, COUNT(doors));
	if (sandbox)
		close_doors(L, sandbox_doors, COUNT(sandbox_doors));
	else
		hours_open(L);
	lua_pop(L, 1);
	close_files(L);
	close_strings(L);
	lua_pushglobaltable(L);
}
