/*
 * The one way into Lua.  Everything that can raise, arguments included, runs inside one pcall, and
 * every function of the engine in a coroutine of its own, so that it can wait for its caller.
 */
#include "script/script_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "script/output.h"
#include "script/values.h"

/* The address of a task is the key of its coroutine in the registry. */
struct script_task {
	struct script *s;
	int64_t used_ms; /* spent inside Lua so far */
	bool in_hook;
	bool slices;  /* its turns are left */
	bool refused; /* the allocator has refused memory */
};

/* One turn in Lua: from a start or an answer to the next wait, or to the end. */
struct turn {
	struct script_task *task;
	const char *function; /* starts the task; NULL: the task continues */
	const struct node *argument;
	struct node *result; /* filled from its first node on: Lua may jump while it grows */
	int status;	     /* of the function in its coroutine; LUA_YIELD: it waits or was left */
	char *text;	     /* the error message and its traceback */
};

/* stack: value -> text */
static int call_tostring(lua_State *L)
{
	(void)luaL_tolstring(L, 1, NULL);
	return 1;
}

/*
 * Replaces an error object by its text.  Its __tostring is code of the script: an error there is
 * caught, and the limits hold, because the error did not come from the count hook.
 */
/* stack: error -> text */
static void describe_error(lua_State *L)
{
	int status = LUA_ERRRUN;

	if (luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
		lua_pushcfunction(L, call_tostring);
		lua_pushvalue(L, 1);
		status = lua_pcall(L, 1, 1, 0);
	}
	if (status != LUA_OK)
		lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
	lua_replace(L, 1);
	lua_settop(L, 1);
}

/*
 * Returns whether the script has called error(text, 0): such a text is meant for the user as it is.
 * With a level, error() has left its argument below the text with the place; without one, the
 * argument has become the error, and the frame is empty.
 */
/* stack: text -> text */
static bool is_for_user(lua_State *L)
{
	lua_Debug frame, caller;
	bool is_error;

	/* error() adds a place to strings only; an empty text needs its traceback. */
	if (lua_type(L, 1) != LUA_TSTRING || lua_rawlen(L, 1) == 0 || !lua_getstack(L, 1, &frame) ||
	    lua_getinfo(L, "ft", &frame) == 0)
		return false;
	is_error = lua_tocfunction(L, -1) == script_of(L)->error;
	lua_pop(L, 1);
	if (!is_error)
		return false;
	if (lua_getlocal(L, &frame, 1) != NULL) {
		lua_pop(L, 1);
		return false;
	}
	if (frame.istailcall || !lua_getstack(L, 2, &caller))
		return true; /* vmrun's own modules make no tail call of error() */
	return lua_getinfo(L, "S", &caller) != 0 && str_after(caller.short_src, OWN_CHUNK) == NULL;
}

/* Adds the traceback to an error's message. */
/* stack: error -> message */
static int add_traceback(lua_State *L)
{
	if (script_of(L)->expired)
		return 1; /* the place at the deadline is known already */
	lua_settop(L, 1);
	if (is_for_user(L))
		return 1;
	if (lua_tostring(L, 1) == NULL)
		describe_error(L);
	if (script_of(L)->expired)
		return 1;
	script_push_frames(L, L, 1);
	lua_concat(L, 2);
	return 1;
}

/* Returns the results of guard(), directly or after a yield. */
/* stack: ... result -> status result */
static int guard_end(lua_State *L, int status, lua_KContext unused)
{
	(void)unused;
	lua_pushinteger(L, status == LUA_YIELD ? LUA_OK : status);
	lua_insert(L, -2);
	return 2;
}

/*
 * Runs the engine's function as the body of the coroutine.  Errors are caught here, not by the
 * caller outside: an error of the count hook leaves hooks switched off in the thread that it ends.
 * The methods __close, which run afterwards, could then loop for ever.
 */
/* stack: engine name argument -> status result */
static int guard(lua_State *L)
{
	lua_pushcfunction(L, add_traceback);
	lua_insert(L, 1);
	return guard_end(L, lua_pcallk(L, 2, 1, 1, 0, guard_end), 0);
}

/* Ends a coroutine that gave control back early: its time is over, or a script has yielded. */
/* stack: ... -> ... message */
static void end_coroutine(lua_State *L, lua_State *co)
{
	lua_pushliteral(L, "coroutine.yield outside a coroutine: there is nothing to wait for");
	script_push_frames(L, co, 0);
	lua_concat(L, 2);
	(void)lua_resetthread(co); /* calls __close methods, within what is left of the limits */
}

/*
 * Returns a copy of the message on the top, which is a string, or a text for anything else.  A NUL
 * becomes "?", because it would end the message.
 */
/* stack: ... message -> ... message */
static char *copy_message(lua_State *L)
{
	size_t length;
	const char *text = lua_tolstring(L, -1, &length);
	char *copy;

	if (text == NULL)
		return mem_copy("(no message)");
	copy = mem_copy_n(text, length);
	for (size_t i = 0; i < length; i++) {
		if (copy[i] == '\0')
			copy[i] = '?';
	}
	return copy;
}

/* Pushes the task's coroutine, and its arguments on its own stack.  Returns their number. */
/* stack: ... -> ... coroutine; of the coroutine: -> guard engine name argument */
static int push_coroutine(lua_State *L, const struct turn *turn)
{
	lua_State *co;

	if (turn->function == NULL) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, turn->task);
		return 0;
	}
	co = lua_newthread(L);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, turn->task);
	lua_pushcfunction(L, guard);
	api_push_engine(L);
	lua_pushstring(L, turn->function);
	values_push(L, turn->argument);
	lua_xmove(L, co, 4);
	return 3;
}

/* Resumes the coroutine.  Its value or message is on the top of L then, unless it continues. */
/* stack: ... -> ... result, or ... where it continues; of the coroutine: arguments -> */
static int resume(lua_State *L, lua_State *co, int arguments)
{
	struct script *s = script_of(L);
	int count = 0, status = lua_resume(co, L, arguments, &count);

	if (status == LUA_OK) {
		status = (int)lua_tointeger(co, -2);
		lua_xmove(co, L, 1);
	} else if (status != LUA_YIELD) {
		lua_xmove(co, L, 1);
	} else if ((s->request == NULL && !s->left) || s->expired) {
		status = LUA_ERRRUN;
		end_coroutine(L, co);
	}
	/* The deadline may have ended a coroutine, and the script returned all the same. */
	return s->expired && status == LUA_OK ? LUA_ERRRUN : status;
}

/* stack: turn -> (undefined: enter() empties the stack) */
static int enter_turn(lua_State *L)
{
	struct turn *turn = lua_touserdata(L, 1);
	int arguments = push_coroutine(L, turn);

	turn->status = resume(L, lua_tothread(L, 2), arguments);
	if (turn->status == LUA_YIELD)
		return 0;
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, turn->task);
	if (turn->status != LUA_OK)
		turn->text = copy_message(L);
	else if (!lua_isnil(L, -1))
		values_take(L, -1, &turn->result);
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
	const char *trace = text + strcspn(text, "\n");

	if (!s->refused)
		return error_set(err, STATUS_OS, "%s%s", strerror(ENOMEM), trace);
	return error_set(
	    err, STATUS_SPEC, "needs more than %s of memory (hook_memory)%s", size, trace);
}

static int explain(const struct script *s, const struct turn *turn, struct error *err)
{
	/* An error of vmrun's own modules begins with their place. */
	bool is_own = str_after(turn->text, OWN_CHUNK) != NULL;

	if (s->expired)
		return explain_time(s, err);
	if (turn->status == LUA_ERRMEM ||
	    (s->refused && strstr(turn->text, "not enough memory") != NULL))
		return explain_memory(s, turn->text, err);
	return error_set(err, is_own ? STATUS_BUG : STATUS_SPEC, "%s", turn->text);
}

/*
 * Calls a C function with one pointer under the limits.  Returns LUA_OK, or another status of Lua
 * with *text.
 */
/* stack: -> (empties the stack) */
static int enter(struct script *s, lua_CFunction function, void *argument, char **text)
{
	lua_State *L = s->L;
	int status;

	/* Neither can raise: they allocate nothing, and fit into the empty stack. */
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

/* stack: task -> */
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
	MEM_AUTO char *ignored = NULL;

	if (task == NULL)
		return;
	script_call_begin(task->s, task->used_ms);
	if (task->slices)
		script_slice_begin(task->s); /* limits __close methods, which cannot be left */
	(void)enter(task->s, forget_coroutine, task, &ignored);
	script_call_end(task->s, false);
	if (task->s->left_task == task)
		task->s->left_task = NULL;
	if (task->s->left_task == NULL)
		output_flush(task->s); /* also what __close methods wrote */
	free(task);
}

void script_task_renew(struct script_task *task)
{
	task->used_ms = 0;
}

bool script_is_left(const struct script *s)
{
	return s->left_task != NULL;
}

/* Saves what a hook has put into vmrun.state; a failure to save is a failure of the hook. */
static int save_hook_state(struct script *s, int rc, struct script_reply *reply, struct error *err)
{
	if (script_save_state(s, err) == 0 || rc != 0)
		return rc;
	script_abandon(reply->task);
	node_free(reply->request);
	node_free(reply->result);
	memset(reply, 0, sizeof(*reply));
	return -1;
}

/* Lets a turn begin with what its task has kept. */
static void begin_turn(struct script *s, const struct script_task *task)
{
	s->turns++;
	script_call_begin(s, task->used_ms);
	s->in_hook = task->in_hook;
	s->refused = task->refused;
	if (task->slices)
		script_slice_begin(s);
	if (s->left_task == task)
		s->left_task = NULL;
}

/* Keeps in the task what the turn has left; returns whether it was left at the end of a slice. */
static bool end_turn(struct script *s, struct script_task *task, bool continues)
{
	bool is_left = continues && s->request == NULL;

	task->in_hook = s->in_hook;
	task->refused = s->refused;
	task->used_ms = script_used_ms(s);
	if (is_left)
		s->left_task = task;
	if (s->left_task == NULL)
		output_flush(s);
	return is_left;
}

/* Runs one turn and fills *reply. */
static int run_turn(struct turn *turn, struct script_reply *reply, struct error *err)
{
	struct script_task *task = turn->task;
	struct script *s = task->s;
	int status, rc = 0;
	bool saves, continues;

	memset(reply, 0, sizeof(*reply));
	begin_turn(s, task);
	status = enter(s, enter_turn, turn, &turn->text);
	if (status != LUA_OK)
		turn->status = status;
	continues = status == LUA_OK && turn->status == LUA_YIELD;
	/* A slice ends anywhere, also between two changes of vmrun.state that belong together. */
	saves = !end_turn(s, task, continues) && task->in_hook;
	if (continues) {
		reply->request = s->request;
		reply->task = task;
		s->request = NULL;
	} else if (turn->status == LUA_OK) {
		reply->result = turn->result;
	} else {
		rc = explain(s, turn, err);
		node_free(turn->result);
	}
	node_free(s->request); /* of a wait that failed */
	s->request = NULL;
	s->answer = NULL; /* it was lent for this turn */
	script_call_end(s, rc != 0);
	if (status != LUA_OK)
		script_abandon(task);
	else if (!continues)
		free(task);
	free(turn->text);
	return saves ? save_hook_state(s, rc, reply, err) : rc;
}

static int begin(struct script *s, const struct turn *what, bool slices, struct script_reply *reply,
    struct error *err)
{
	struct script_task *task = mem_zero(sizeof(*task));
	struct turn turn = *what;

	task->s = s;
	task->slices = slices;
	turn.task = task;
	return run_turn(&turn, reply, err);
}

int script_begin(struct script *s, const char *function, const struct node *argument,
    struct script_reply *reply, struct error *err)
{
	struct turn turn = { .function = function, .argument = argument };

	assert(s->left_task == NULL);
	return begin(s, &turn, s->slices, reply, err);
}

int script_resume(struct script_task *task, const struct node *answer, struct script_reply *reply,
    struct error *err)
{
	struct turn turn = { .task = task };

	assert(task->s->left_task == NULL || task->s->left_task == task);
	task->s->answer = answer;
	return run_turn(&turn, reply, err);
}

int script_call(struct script *s, const char *function, const struct node *argument,
    struct node **result, struct error *err)
{
	struct turn turn = { .function = function, .argument = argument };
	struct script_reply reply;
	int rc = begin(s, &turn, false, &reply, err);

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
