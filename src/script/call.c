/*
 * The one way into Lua.  Everything that can raise, arguments included, runs inside one pcall, and
 * every function of the engine in a coroutine of its own: what it waits for is somebody else's.
 */
#include "script/script_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "script/output.h"
#include "script/values.h"

/* The address of a task is the key of its coroutine in the registry. */
struct script_task {
	struct script *s;
	int64_t used_ms; /* inside Lua, so far */
	bool in_hook;
};

/* One stay in Lua: from a start or an answer to the next wait, or the end. */
struct stay {
	struct script_task *task;
	const char *function; /* the start of a task; NULL: it goes on */
	const struct node *argument;
	struct node *result; /* in here from its first node on: Lua may jump while it grows */
	int status;	     /* of the function in its coroutine; LUA_YIELD: it waits */
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

/* Pushes the task's coroutine, and on its stack what it is resumed with: so many values. */
static int push_coroutine(lua_State *L, const struct stay *stay)
{
	lua_State *co;

	if (stay->function == NULL) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, stay->task);
		return 0;
	}
	co = lua_newthread(L);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, stay->task);
	lua_pushcfunction(L, guard);
	api_push_engine(L);
	lua_pushstring(L, stay->function);
	values_push(L, stay->argument);
	lua_xmove(L, co, 4);
	return 3;
}

/* What the coroutine did; the value or message is on the top of L then, unless it waits. */
static int resume(lua_State *L, lua_State *co, int arguments)
{
	struct script *s = script_of(L);
	int count = 0, status = lua_resume(co, L, arguments, &count);

	if (status == LUA_OK) {
		status = (int)lua_tointeger(co, -2);
		lua_xmove(co, L, 1);
	} else if (status != LUA_YIELD) {
		lua_xmove(co, L, 1);
	} else if (s->request == NULL || s->expired) {
		status = LUA_ERRRUN;
		end_coroutine(L, co);
	}
	/* It may have ended all the same, with something cut off in a coroutine of its own. */
	return s->expired && status == LUA_OK ? LUA_ERRRUN : status;
}

static int run_stay(lua_State *L)
{
	struct stay *stay = lua_touserdata(L, 1);
	int arguments = push_coroutine(L, stay);

	stay->status = resume(L, lua_tothread(L, 2), arguments);
	if (stay->status == LUA_YIELD)
		return 0;
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, stay->task);
	if (stay->status != LUA_OK)
		stay->text = copy_message(L);
	else if (!lua_isnil(L, -1))
		values_take(L, -1, &stay->result);
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

static int explain(const struct script *s, const struct stay *stay, struct error *err)
{
	bool memory = stay->status == LUA_ERRMEM ||
	    (s->refused && strstr(stay->text, "not enough memory") != NULL);

	if (s->expired)
		return explain_time(s, err);
	if (memory)
		return explain_memory(s, stay->text, err);
	/* An error of our own modules has their place before it. */
	if (strncmp(stay->text, ROOM_CHUNK, strlen(ROOM_CHUNK)) == 0)
		return error_set(err, STATUS_BUG, "%s", stay->text);
	return error_set(err, STATUS_SPEC, "%s", stay->text);
}

/* Calls a C function with one pointer under the limits; LUA_OK, or why it raised, with *text. */
static int enter(struct script *s, lua_CFunction function, void *argument, char **text)
{
	lua_State *L = s->L;
	int status;

	/* These two cannot raise: they allocate nothing, and an empty stack has room for them. */
	lua_pushcfunction(L, function);
	lua_pushlightuserdata(L, argument);
	status = lua_pcall(L, 1, 0, 0);
	if (status != LUA_OK) {
		free(*text);
		*text = copy_message(L);
	}
	lua_settop(L, 0);
	return status;
}

static int forget_coroutine(lua_State *L)
{
	const void *task = lua_touserdata(L, 1);
	lua_State *co;

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, task) != LUA_TTHREAD)
		return 0;
	co = lua_tothread(L, -1);
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, task);
	(void)lua_resetthread(co); /* calls __close methods */
	return 0;
}

void script_abandon(struct script_task *task)
{
	char *ignored = NULL;

	if (task == NULL)
		return;
	script_call_begin(task->s, task->used_ms);
	(void)enter(task->s, forget_coroutine, task, &ignored);
	script_call_end(task->s, false);
	free(ignored);
	free(task);
}

/* What a hook has put into vmrun.state; that it cannot be kept is a failure of the hook. */
static int keep(struct script *s, int rc, struct script_reply *reply, struct error *err)
{
	if (script_keep(s, err) == 0 || rc != 0)
		return rc;
	script_abandon(reply->task);
	node_free(reply->request);
	node_free(reply->result);
	memset(reply, 0, sizeof(*reply));
	return -1;
}

/* One stay, and what comes of it. */
static int stay_in(struct stay *stay, struct script_reply *reply, struct error *err)
{
	struct script_task *task = stay->task;
	struct script *s = task->s;
	int status, rc = 0;
	bool in_hook, waits;

	memset(reply, 0, sizeof(*reply));
	script_call_begin(s, task->used_ms);
	s->in_hook = task->in_hook;
	status = enter(s, run_stay, stay, &stay->text);
	if (status != LUA_OK)
		stay->status = status;
	output_flush(s);
	task->in_hook = in_hook = s->in_hook;
	task->used_ms = script_used_ms(s);
	waits = status == LUA_OK && stay->status == LUA_YIELD;
	if (waits) {
		reply->request = s->request;
		reply->task = task;
		s->request = NULL;
	} else if (stay->status == LUA_OK) {
		reply->result = stay->result;
	} else {
		rc = explain(s, stay, err);
		node_free(stay->result);
	}
	node_free(s->request); /* of a wait that came to nothing */
	s->request = NULL;
	script_call_end(s, rc != 0);
	if (status != LUA_OK)
		script_abandon(task);
	else if (!waits)
		free(task);
	free(stay->text);
	return in_hook ? keep(s, rc, reply, err) : rc;
}

int script_begin(struct script *s, const char *function, const struct node *argument,
    struct script_reply *reply, struct error *err)
{
	struct script_task *task = mem_zero(sizeof(*task));
	struct stay stay = { .task = task, .function = function, .argument = argument };

	task->s = s;
	return stay_in(&stay, reply, err);
}

int script_resume(struct script_task *task, const struct node *answer, struct script_reply *reply,
    struct error *err)
{
	struct stay stay = { .task = task };

	task->s->answer = answer;
	return stay_in(&stay, reply, err);
}

int script_call(struct script *s, const char *function, const struct node *argument,
    struct node **result, struct error *err)
{
	struct script_reply reply;
	int rc = script_begin(s, function, argument, &reply, err);

	while (rc == 0 && reply.request != NULL) {
		struct node *answer = s->wait == NULL ? NULL : s->wait(s->context, reply.request);

		node_free(reply.request);
		rc = script_resume(reply.task, answer, &reply, err);
		node_free(answer);
	}
	if (rc == 0)
		*result = reply.result;
	return rc;
}
