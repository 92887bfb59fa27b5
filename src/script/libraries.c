/*
 * Lua's libraries.  Replacements stand before the functions with which a script could escape the
 * limits of script_call(), stop the supervisor, or change the process around it.
 */
#include "script/libraries.h"

#include <lualib.h>

#include "script/coroutines.h"
#include "script/os_time.h"
#include "script/loading.h"
#include "script/loops.h"
#include "script/output.h"
#include "script/script_internal.h"
#include "script/views.h"

/* Returns what the original returned, directly or after a yield. */
/* stack: results -> results */
static int pass_end(lua_State *L, int status, lua_KContext unused)
{
	(void)status;
	(void)unused;
	return lua_gettop(L);
}

/* The original is upvalue 1; upvalue 2 is a replacement's helper (see the table). */
/* stack: arguments -> results */
int libraries_pass(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, pass_end);
	return pass_end(L, LUA_OK, 0);
}

/* Replaces xpcall: its handlers would run inside the count hook, where no limit can stop them. */
/* stack: function handler arguments -> results */
static int safe_xpcall(lua_State *L)
{
	if (script_of(L)->sandbox != NULL)
		return luaL_error(L, "xpcall is not in the sandbox: use pcall");
	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (!lua_rawequal(L, 2, lua_upvalueindex(2)))
		luaL_error(L,
		    "xpcall takes no other handler than debug.traceback here; "
		    "use pcall and look at what it returns");
	return libraries_pass(L);
}

/* Replaces setmetatable: no count hook runs in a finalizer. */
/* stack: table metatable -> table */
static int safe_setmetatable(lua_State *L)
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

/* stack: ... -> (raises) */
static int safe_exit(lua_State *L)
{
	return luaL_error(L,
	    "os.exit would end the supervisor: "
	    "return vmrun.stop(status) from on_exit");
}

/* stack: arguments -> results */
static int safe_execute(lua_State *L)
{
	script_refuse_in_hook(L, "os.execute");
	return libraries_pass(L);
}

/* stack: arguments -> results */
static int safe_popen(lua_State *L)
{
	script_refuse_in_hook(L, "io.popen");
	return libraries_pass(L);
}

/* Replaces os.setlocale: the locale belongs to the whole process, so a script can only read it. */
/* stack: [locale] -> name | nothing */
static int safe_setlocale(lua_State *L)
{
	if (!lua_isnoneornil(L, 1))
		return 0;
	return libraries_pass(L);
}

static bool is_stdin(lua_State *L, int index)
{
	const luaL_Stream *stream = luaL_testudata(L, index, LUA_FILEHANDLE);

	return stream != NULL && stream->f == stdin;
}

/* stack: file arguments -> results */
static int safe_file_read(lua_State *L)
{
	if (is_stdin(L, 1))
		script_refuse_in_hook(L, "reading stdin");
	return libraries_pass(L);
}

/*
 * Replaces io.read, and io.lines without a name: they read the default input, which upvalue 2
 * returns.
 */
/* stack: arguments -> results */
static int safe_input(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(2));
	lua_call(L, 0, 1);
	if (is_stdin(L, -1))
		script_refuse_in_hook(L, "reading stdin");
	lua_pop(L, 1);
	return libraries_pass(L);
}

/* stack: arguments -> results */
static int safe_lines(lua_State *L)
{
	return lua_isnoneornil(L, 1) ? safe_input(L) : libraries_pass(L);
}

/*
 * Replaces debug.getinfo: a function on the stack would show its callee, the original of a
 * replacement.
 */
/* stack: arguments -> information */
static int safe_getinfo(lua_State *L)
{
	bool by_level = lua_type(L, 1) == LUA_TNUMBER || lua_isthread(L, 1);

	if (lua_type(L, 1) == LUA_TNUMBER) {
		lua_pushinteger(
		    L, luaL_checkinteger(L, 1) + 1); /* this function is one more level */
		lua_replace(L, 1);
	}
	(void)libraries_pass(L);
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

/*
 * Replaces collectgarbage in the sandbox: a script must not change settings that outlive the call
 * or weaken the limits.
 */
/* stack: arguments -> results */
static int safe_collect(lua_State *L)
{
	static const char *const known[] = { "collect", "count", "step", "isrunning", NULL };

	(void)luaL_checkoption(L, 1, "collect", known);
	return libraries_pass(L);
}

static const struct replacement {
	const char *library, *name;
	lua_CFunction function; /* NULL: the function is removed */
	const char *helper_library, *helper;
} replacements[] = {
	{ "_G", "xpcall", safe_xpcall, "debug", "traceback" },
	{ "_G", "next", views_next, NULL, NULL },
	{ "_G", "setmetatable", safe_setmetatable, NULL, NULL },
	{ "_G", "load", loading_load, "_G", "_G" },
	{ "_G", "loadfile", loading_loadfile, NULL, NULL },
	{ "_G", "dofile", loading_dofile, NULL, NULL },
	{ "package", "loadlib", loading_loadlib, NULL, NULL },
	{ "_G", "print", output_print, NULL, NULL },
	{ "string", "dump", NULL, NULL, NULL },
	{ "string", "rep", loops_rep, NULL, NULL },
	{ "table", "concat", loops_concat, NULL, NULL },
	{ "table", "insert", loops_insert, NULL, NULL },
	{ "table", "move", loops_move, NULL, NULL },
	{ "table", "remove", loops_remove, NULL, NULL },
	{ "table", "sort", loops_sort, NULL, NULL },
	{ "coroutine", "create", coroutines_create, NULL, NULL },
	{ "coroutine", "resume", coroutines_resume, NULL, NULL },
	{ "coroutine", "wrap", coroutines_wrap, NULL, NULL },
	{ "coroutine", "close", coroutines_close, NULL, NULL },
	{ "coroutine", "yield", coroutines_yield, NULL, NULL },
	{ "os", "exit", safe_exit, NULL, NULL },
	{ "os", "execute", safe_execute, NULL, NULL },
	{ "os", "setlocale", safe_setlocale, NULL, NULL },
	{ "io", "popen", safe_popen, NULL, NULL },
	{ "io", "read", safe_input, "io", "input" },
	{ "io", "lines", safe_lines, "io", "input" },
	{ "io", "write", output_io_write, "io", "output" },
	{ "debug", "getinfo", safe_getinfo, NULL, NULL },
	/* With these a script could set __gc without setmetatable, or reach an original again. */
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

static const struct replacement sandbox_replacements[] = {
	{ "_G", "loadfile", NULL, NULL, NULL },
	{ "_G", "dofile", NULL, NULL, NULL },
	{ "_G", "collectgarbage", safe_collect, NULL, NULL },
};

/* Pushes library.name as it is now; nil when there is no such library. */
/* stack: ... libraries -> ... libraries function */
static void push_original(lua_State *L, const char *library, const char *name)
{
	if (lua_getfield(L, -1, library) == LUA_TTABLE) {
		lua_getfield(L, -1, name);
		lua_remove(L, -2);
	}
}

/* Puts replacements before the functions of the libraries on the top. */
/* stack: ... libraries -> ... libraries */
static void replace_functions(lua_State *L, const struct replacement *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct replacement *d = &list[i];

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
		if (d->function != NULL) {
			lua_pushcclosure(L, d->function, 2);
		} else {
			lua_pop(L, 2);
			lua_pushnil(L);
		}
		lua_setfield(L, -2, d->name);
		lua_pop(L, 1);
	}
}

/*
 * Replaces the methods of open files, and hides their metatable, in which a script could set __gc.
 */
/* stack: ... -> ... */
static void replace_file_methods(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "read", safe_file_read },
		{ "lines", safe_file_read },
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
 * Hides the metatable of strings: the whole state has one, so a script's change would reach the
 * strings of vmrun's own modules.
 */
/* stack: ... -> ... */
static void protect_strings(lua_State *L)
{
	lua_pushliteral(L, "");
	(void)lua_getmetatable(L, -1);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
}

/* stack: ... -> ... */
static void open_all(lua_State *L, const luaL_Reg *libraries)
{
	for (const luaL_Reg *l = libraries; l->func != NULL; l++) {
		luaL_requiref(L, l->name, l->func, 1);
		lua_pop(L, 1);
	}
}

/* stack: ... -> ... */
void libraries_open_core(lua_State *L)
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

/* stack: ... -> ... globals loaded strings */
void libraries_open_world(lua_State *L)
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
	replace_functions(L, replacements, COUNT(replacements));
	if (sandbox)
		replace_functions(L, sandbox_replacements, COUNT(sandbox_replacements));
	else
		os_time_open(L);
	lua_pop(L, 1);
	replace_file_methods(L);
	protect_strings(L);
	lua_pushglobaltable(L);
	lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	lua_getfield(L, -2, LUA_STRLIBNAME);
}

/* stack: ... globals loaded strings -> ... */
void libraries_use_world(lua_State *L)
{
	lua_pushliteral(L, "");
	(void)lua_getmetatable(L, -1);
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 3);
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	protect_strings(L); /* memory may have ended while another world was made */
}
