/* Coroutines of scripts: they take part in the waits and the limits of the call that runs them. */
#include "script/coroutines.h"

#include <lauxlib.h>

#include "script/script_internal.h"

static int body_end(lua_State *L, int status, lua_KContext unused)
{
	(void)unused;
	return status == LUA_OK || status == LUA_YIELD ? lua_gettop(L) : lua_error(L);
}

/*
 * Wraps the function (upvalue 1) of every coroutine of a script, for the reason that guard() in
 * call.c gives: an error of the count hook must be caught in the thread that it stops.  The price:
 * debug.traceback(co) shows nothing of a coroutine that died.
 */
/* stack: arguments -> results */
static int coroutine_body(lua_State *L)
{
	if (script_of(L)->expired)
		return luaL_error(L, "time limit reached");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	return body_end(L, lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, body_end), 0);
}

/* stack: function -> coroutine */
int coroutines_create(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_pushcclosure(L, coroutine_body, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

/*
 * The next four implement coroutine.resume and the function that coroutine.wrap returns.  A
 * coroutine gives control up in four ways: it yields to the caller that resumed it; the deadline
 * makes it yield, which must not pass for an answer; it waits, and with it every coroutine up to
 * script_call(); or the end of a slice makes all of these yield.  Upvalue 1 is the original: it
 * takes the coroutine, which stays at the bottom of the stack, or nothing.
 */
static int resume_after_wait(lua_State *L, int status, lua_KContext is_wrapped);

/* stack: coroutine resume arguments -> coroutine results */
static int call_resume(lua_State *L, int arguments, bool is_wrapped)
{
	struct script *s = script_of(L);
	bool blocks = !lua_isyieldable(L);
	int status = LUA_OK;

	/*
	 * An error must be caught only where no yield is possible, so that the count goes down
	 * again.
	 */
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
	if (s->request != NULL || s->left)
		return lua_yieldk(L, 0, is_wrapped, resume_after_wait);
	return lua_gettop(L) - 1;
}

/*
 * Resumes the coroutine after a wait or a slice: the function that waits, further in, takes the
 * answer.
 */
static int resume_after_wait(lua_State *L, int status, lua_KContext is_wrapped)
{
	(void)status;
	lua_settop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	if (is_wrapped)
		return call_resume(L, 0, true);
	lua_pushvalue(L, 1);
	return call_resume(L, 1, false);
}

/* Replaces coroutine.yield, so that waits_elsewhere() knows it. */
/* stack: values -> (yields) */
int coroutines_yield(lua_State *L)
{
	return lua_yield(L, lua_gettop(L));
}

/*
 * Returns whether another call waits in the coroutine, or was abandoned there: the coroutine has
 * not called coroutine.yield(), and would take what this call resumes it with for an answer.
 */
static bool waits_elsewhere(lua_State *co)
{
	lua_Debug frame;
	bool has_yielded;

	if (lua_status(co) != LUA_YIELD || !lua_getstack(co, 0, &frame) || !lua_checkstack(co, 1))
		return false;
	(void)lua_getinfo(co, "f", &frame);
	has_yielded = lua_tocfunction(co, -1) == coroutines_yield;
	lua_pop(co, 1);
	return !has_yielded;
}

#define WAITS_ELSEWHERE "cannot resume a coroutine in which another call waits"

/* stack: coroutine arguments -> boolean results */
int coroutines_resume(lua_State *L)
{
	int count = lua_gettop(L);

	luaL_argexpected(L, lua_isthread(L, 1), 1, "coroutine");
	if (waits_elsewhere(lua_tothread(L, 1))) {
		lua_pushboolean(L, 0);
		lua_pushliteral(L, WAITS_ELSEWHERE);
		return 2;
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushvalue(L, 1);
	lua_rotate(L, 2, 2);
	return call_resume(L, count, false);
}

/* stack: coroutine -> boolean message */
int coroutines_close(lua_State *L)
{
	luaL_argexpected(L, lua_isthread(L, 1), 1, "coroutine");
	if (waits_elsewhere(lua_tothread(L, 1)))
		return luaL_error(L, "cannot close a coroutine in which another call waits");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* stack: arguments -> results */
static int resume_wrapped(lua_State *L)
{
	int count = lua_gettop(L);

	(void)lua_getupvalue(L, lua_upvalueindex(1), 1); /* its coroutine */
	if (waits_elsewhere(lua_tothread(L, -1)))
		return luaL_error(L, WAITS_ELSEWHERE);
	lua_pop(L, 1);
	lua_pushnil(L); /* in the place of the coroutine of coroutines_resume() */
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_rotate(L, 1, 2);
	return call_resume(L, count, true);
}

/* stack: function -> function */
int coroutines_wrap(lua_State *L)
{
	(void)coroutines_create(L);
	lua_pushcclosure(L, resume_wrapped, 1);
	return 1;
}
