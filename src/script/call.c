/* The one way into Lua.  Everything that can raise, arguments included, runs inside one pcall. */
#include "script/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "script/output.h"
#include "script/values.h"

struct call {
	const char *function;
	const struct node *argument;
	struct node *result; /* in here from its first node on: Lua may jump while it grows */
	int status;	     /* of the function in its coroutine */
	char *text;	     /* why it failed, and its traceback */
};

static bool is_engine_line(const char *line)
{
	return strncmp(line, "\t" ROOM_CHUNK, strlen("\t" ROOM_CHUNK)) == 0;
}

/* A frame of a script: not ours, not C, and not "(...tail calls...)". */
static bool is_user_line(const char *line)
{
	return !is_engine_line(line) && strncmp(line, "\t[C]", 4) != 0 &&
	    strncmp(line, "\t(", 2) != 0;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end == NULL ? line + strlen(line) : end + 1;
}

/* Adds the frames from the innermost to the last that is the user's, without ours. */
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
		if (!is_engine_line(line)) {
			luaL_addchar(b, '\n');
			luaL_addlstring(b, line, strcspn(line, "\n"));
		}
	}
}

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

/* The message handler.  It calls nothing of the script's: no __tostring of an error object. */
static int add_traceback(lua_State *L)
{
	if (script_of(L)->expired)
		return 1; /* the place where the time ended is known already */
	lua_settop(L, 1);
	if (lua_tostring(L, 1) == NULL) {
		lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
		lua_replace(L, 1);
	}
	script_push_frames(L, L, 1);
	lua_concat(L, 2);
	return 1;
}

/* The end of guard(), reached directly or after a yield: status, result or message. */
static int guard_end(lua_State *L, int status, lua_KContext unused)
{
	(void)unused;
	lua_pushinteger(L, status == LUA_YIELD ? LUA_OK : status);
	lua_insert(L, -2);
	return 2;
}

/*
 * The body of the coroutine; engine, name and argument are on its stack.  It catches here and not
 * at the border: an error that the count hook raises leaves hooks switched off in a thread that it
 * ends, and the __close methods that are called afterwards could loop for ever.
 */
static int guard(lua_State *L)
{
	lua_pushcfunction(L, add_traceback);
	lua_insert(L, 1);
	return guard_end(L, lua_pcallk(L, 2, 1, 1, 0, guard_end), 0);
}

/* The coroutine gave control back before it ended: its time is over, or a script has yielded. */
static void end_coroutine(lua_State *L, lua_State *co)
{
	lua_pushliteral(L, "coroutine.yield outside a coroutine: there is nothing to wait for");
	script_push_frames(L, co, 0);
	lua_concat(L, 2);
	(void)lua_resetthread(co); /* calls __close methods, within what is left of the limits */
}

/* The message on the top.  Every way here makes a string of it; trust, but no NULL to strlen(). */
static char *copy_message(lua_State *L)
{
	const char *text = lua_tostring(L, -1);

	return mem_copy(text == NULL ? "(no message)" : text);
}

static int run_call(lua_State *L)
{
	struct call *call = lua_touserdata(L, 1);
	lua_State *co = lua_newthread(L);
	int count = 0, status;

	lua_pushcfunction(L, guard);
	api_push_engine(L);
	lua_pushstring(L, call->function);
	values_push(L, call->argument);
	lua_xmove(L, co, 4);
	status = lua_resume(co, L, 3, &count);
	if (status == LUA_OK) {
		call->status = (int)lua_tointeger(co, -2);
		lua_xmove(co, L, 1);
	} else if (status == LUA_YIELD) {
		call->status = LUA_ERRRUN;
		end_coroutine(L, co);
	} else {
		call->status = status;
		lua_xmove(co, L, 1);
	}
	/* It may have ended all the same, with something cut off in a coroutine of its own. */
	if (script_of(L)->expired && call->status == LUA_OK)
		call->status = LUA_ERRRUN;
	if (call->status != LUA_OK)
		call->text = copy_message(L);
	else if (!lua_isnil(L, -1))
		values_take(L, -1, &call->result);
	return 0;
}

static int explain_time(const struct script *s, struct error *err)
{
	bool seconds = s->budget_ms % 1000 == 0;

	return error_set(err, STATUS_SPEC, "%sstill running after %lld %s (hook_timeout)%s",
	    s->place, (long long)(seconds ? s->budget_ms / 1000 : s->budget_ms),
	    seconds ? "s" : "ms", s->trace == NULL ? "" : s->trace);
}

static int explain_memory(const struct script *s, const char *text, struct error *err)
{
	MEM_AUTO char *size = script_size_text(s->cap_bytes);
	const char *trace = strchr(text, '\n');

	return error_set(err, STATUS_SPEC, "needs more than %s of memory (hook_memory)%s", size,
	    trace == NULL ? "" : trace);
}

static int explain(const struct script *s, const struct call *call, struct error *err)
{
	bool memory = call->status == LUA_ERRMEM ||
	    (s->refused && strstr(call->text, "not enough memory") != NULL);

	if (s->expired)
		return explain_time(s, err);
	if (memory)
		return explain_memory(s, call->text, err);
	/* An error of our own modules has their place before it. */
	if (strncmp(call->text, ROOM_CHUNK, strlen(ROOM_CHUNK)) == 0)
		return error_set(err, STATUS_BUG, "%s: %s", call->function, call->text);
	return error_set(err, STATUS_SPEC, "%s", call->text);
}

int script_call(struct script *s, const char *function, const struct node *argument,
    struct node **result, struct error *err)
{
	struct call call = { .function = function, .argument = argument };
	lua_State *L = s->L;
	int status;

	script_call_begin(s);
	/* These two cannot raise: they allocate nothing, and an empty stack has room for them. */
	lua_pushcfunction(L, run_call);
	lua_pushlightuserdata(L, &call);
	status = lua_pcall(L, 1, 0, 0);
	if (status != LUA_OK) {
		call.status = status;
		free(call.text);
		call.text = copy_message(L);
	}
	lua_settop(L, 0);
	output_flush(s);
	if (call.status == LUA_OK) {
		*result = call.result;
	} else {
		(void)explain(s, &call, err);
		node_free(call.result);
	}
	script_call_end(s, call.status != LUA_OK);
	free(call.text);
	return call.status == LUA_OK ? 0 : -1;
}
