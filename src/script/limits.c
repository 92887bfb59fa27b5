/* A Lua state with its limits: how much memory it may use, how long a call may take. */
#include "script/script_internal.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "script/libraries.h"

/*
 * Instructions between two readings of the clock.  A count hook at all halves the speed of Lua;
 * more readings cost little beside that, and one instruction can be a call of a slow C function.
 */
#define HOOK_PERIOD 200
/* Milliseconds of Lua after which a sliced turn is left, and until a callback raises. */
#define SLICE_MS 10
#define MAX_CALLBACK_MS 1000
/* Messages and events of a turn after which it is left: their readers take them between turns. */
#define MAX_SAID 256
/* Steps of a C function between two readings of the clock. */
#define STEP_PERIOD 256
/* Size of the heap, in per cent, at which the next collection starts; the first starts later. */
#define FIRST_PAUSE 1000
#define PAUSE 200
/* Bytes in use that are worth a collection after a failed call. */
#define MIN_COLLECTED ((size_t)1 << 20)
/* Bytes beyond the cap for a script past its deadline, and of one piece: see may_allocate(). */
#define MAX_LATE_PIECE ((size_t)4096)
#define MAX_LATE_BYTES ((size_t)1 << 20)

/*
 * Returns whether an allocation is within the limits.  Each refusal costs a full collection: a
 * script at the cap that swallows the errors would run so slowly that the hook, which counts
 * instructions, came minutes late.  After the deadline small allocations pass, so that the hook
 * runs soon.
 */
static bool may_allocate(const struct script *s, size_t more)
{
	if (s->used_bytes <= s->cap_bytes && more <= s->cap_bytes - s->used_bytes)
		return true;
	return s->busy && more <= MAX_LATE_PIECE &&
	    s->used_bytes <= s->cap_bytes + MAX_LATE_BYTES && clock_ms() >= s->deadline_ms;
}

static void *allocate(void *context, void *old, size_t old_size, size_t size)
{
	struct script *s = context;
	void *p;

	if (old == NULL)
		old_size = 0; /* Lua passes the type of the new object instead */
	if (size > old_size && !may_allocate(s, size - old_size)) {
		s->refused = true;
		return NULL;
	}
	p = heap_resize(&s->heap, old, old_size, size);
	if (p == NULL && size != 0) {
		if (size > old_size)
			return NULL;
		p = old; /* Lua relies on shrinking */
	}
	s->used_bytes = s->used_bytes - old_size + size;
	return p;
}

/* Notes where the deadline found the script.  Raises when there is no memory for the traceback. */
/* stack: ... -> ... */
static void note_place(struct script *s, lua_State *L)
{
	script_find_place(L, s->place, sizeof(s->place));
	script_push_frames(L, L, 0);
	s->trace = mem_copy(lua_tostring(L, -1));
	lua_pop(L, 1);
}

/*
 * Collects garbage before the cap is reached.  Lua itself collects before it gives up, but the
 * buffers of string.rep() and others call the allocator directly and give up at once.
 */
static void collect_early(struct script *s, lua_State *L)
{
	if (s->used_bytes < s->live_bytes)
		s->live_bytes = s->used_bytes;
	if (s->used_bytes > s->cap_bytes / 2 && s->used_bytes - s->live_bytes > s->cap_bytes / 8) {
		(void)lua_gc(L, LUA_GCCOLLECT);
		s->live_bytes = s->used_bytes;
	}
}

static void on_count(lua_State *L, lua_Debug *unused);

/* Ends the call at its deadline. */
/* stack: ... -> (yields or raises) */
static void expire(struct script *s, lua_State *L)
{
	lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
	if (!s->expired) {
		s->expired = true;
		note_place(s, L);
	}
	script_leave(L);
}

/*
 * Raises an error in a callback that has computed for too long.  An error at every instruction
 * stops a callback that catches errors.
 */
/* stack: ... -> (raises) */
static void stop_callback(lua_State *L)
{
	lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
	lua_pushliteral(L,
	    "a library function that cannot be interrupted (table.sort, string.gsub, tostring, "
	    "require) took longer than 1 s with its callbacks");
	(void)script_raise(L);
}

/* Leaves Lua at the end of a slice where it can be left. */
/* stack: ... -> ... (yields), or (raises) */
static void end_slice(struct script *s, lua_State *L, int64_t now)
{
	if (lua_isyieldable(L) && s->unyielding == 0) {
		s->left = true;
		(void)lua_yield(L, 0);
	} else if (now >= s->callback_ms) {
		stop_callback(L);
	}
}

static void on_count(lua_State *L, lua_Debug *unused)
{
	struct script *s = script_of(L);
	int64_t now = clock_ms();

	(void)unused;
	if (s->expired || now >= s->deadline_ms) {
		expire(s, L);
		return;
	}
	/* A coroutine that is left from an expired call still has a count of 1. */
	if (lua_gethookcount(L) != HOOK_PERIOD)
		lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_PERIOD);
	collect_early(s, L);
	if (now >= s->slice_ms)
		end_slice(s, L, now);
}

/* stack: ... -> ... */
void script_watch(lua_State *L)
{
	/* Stays for ever: threads inherit the hook, whatever call they run in. */
	lua_sethook(script_of(L)->L, on_count, LUA_MASKCOUNT, HOOK_PERIOD);
	lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_PERIOD);
}

/* stack: ... -> ..., or (yields or raises) */
void script_step(lua_State *L)
{
	struct script *s = script_of(L);
	int64_t now;

	if (++s->steps % STEP_PERIOD != 0)
		return;
	now = clock_ms();
	if (s->expired || now >= s->deadline_ms)
		expire(s, L);
	else if (now >= s->callback_ms)
		stop_callback(L);
	else if (now >= s->slice_ms)
		lua_sethook(L, on_count, LUA_MASKCOUNT, 1); /* Lua is left after this function */
}

void script_note_said(struct script *s)
{
	if (++s->said >= MAX_SAID && s->slice_ms != INT64_MAX)
		s->slice_ms = 0;
}

/* stack: ... -> (yields or raises) */
int script_leave(lua_State *L)
{
	/*
	 * A yield passes every pcall of the script and returns to the caller that resumed this
	 * coroutine.  Where Lua cannot yield, an error at every instruction from now on stops the
	 * script: its pcall may catch one, but not continue.  Errors alone would be slow for
	 * functions that call themselves through pcall: each error walks over all their frames.
	 */
	if (lua_isyieldable(L))
		return lua_yield(L, 0);
	lua_pushliteral(L, "time limit reached");
	return lua_error(L);
}

void script_call_begin(struct script *s, int64_t used_ms)
{
	s->busy = true;
	s->expired = s->refused = s->in_hook = s->left = false;
	s->unyielding = s->said = 0;
	s->slice_ms = s->callback_ms = INT64_MAX;
	s->place[0] = '\0';
	s->deadline_ms = clock_ms() + s->budget_ms - used_ms;
	if (!lua_gc(s->L, LUA_GCISRUNNING))
		(void)lua_gc(s->L, LUA_GCRESTART); /* a script has stopped it */
}

void script_slice_begin(struct script *s)
{
	int64_t now = clock_ms();

	s->slice_ms = now + SLICE_MS;
	s->callback_ms = now + MAX_CALLBACK_MS;
}

int64_t script_used_ms(const struct script *s)
{
	return clock_ms() - (s->deadline_ms - s->budget_ms);
}

void script_call_end(struct script *s, bool failed)
{
	s->busy = false;
	free(s->trace);
	s->trace = NULL;
	/* A failed call may leave much garbage, and the next call may be far away. */
	if (failed && s->used_bytes > MIN_COLLECTED)
		(void)lua_gc(s->L, LUA_GCCOLLECT);
}

char *script_size_text(size_t bytes)
{
	if (bytes % (1 << 20) == 0)
		return mem_format("%zu MiB", bytes >> 20);
	return bytes % 1024 == 0 ? mem_format("%zu KiB", bytes >> 10)
				 : mem_format("%zu bytes", bytes);
}

/* stack: -> */
static int open_state(lua_State *L)
{
	libraries_open_core(L);
	/*
	 * A start makes little garbage: the collector would mark the same live tables again and
	 * again, a tenth of the time of a start.
	 */
	(void)lua_gc(L, LUA_GCINC, FIRST_PAUSE, 0, 0);
	(void)lua_gc(L, LUA_GCCOLLECT);
	(void)lua_gc(L, LUA_GCINC, PAUSE, 0, 0);
	api_open(L);
	return 0;
}

static void explain_open(const struct script *s, int status, struct error *err)
{
	MEM_AUTO char *size = script_size_text(s->cap_bytes);

	if (status != LUA_ERRMEM)
		(void)error_set(err, STATUS_BUG, "Lua cannot start: %s", lua_tostring(s->L, -1));
	else if (s->refused)
		(void)error_set(err, STATUS_OS, "Lua cannot start in %s of memory", size);
	else
		(void)error_set(err, STATUS_OS, "Lua cannot start: %s", strerror(ENOMEM));
}

int script_new(struct script **out, const struct script_options *options, struct error *err)
{
	struct script *s = mem_zero(sizeof(*s));
	int status = LUA_ERRMEM;

	s->log = options->log;
	s->wait = options->wait;
	s->load_state = options->load_state;
	s->save_state = options->save_state;
	s->event = options->event;
	s->firmware = options->firmware;
	s->ahead = options->ahead;
	s->context = options->context;
	s->sandbox = options->sandbox;
	s->slices = options->slices;
	s->hypervisor = mem_copy(options->hypervisor == NULL ? "" : options->hypervisor);
	s->run_dir = mem_copy(options->run_dir == NULL ? "" : options->run_dir);
	s->state_dir = mem_copy(options->state_dir == NULL ? "" : options->state_dir);
	s->dry_run = options->dry_run;
	s->args = options->args;
	script_limit(s, options->budget_ms, options->memory_bytes);
	heap_open(&s->heap);
	s->L = lua_newstate(allocate, s);
	if (s->L != NULL) {
		*(struct script **)lua_getextraspace(s->L) = s;
		lua_pushcfunction(s->L, open_state);
		status = lua_pcall(s->L, 0, 0, 0);
	}
	s->args = NULL;
	if (status != LUA_OK) {
		explain_open(s, status, err);
		script_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void script_free(struct script *s)
{
	if (s == NULL)
		return;
	if (s->L != NULL)
		lua_close(s->L);
	heap_close(&s->heap);
	str_free(&s->file);
	script_drop_lent(s);
	free(s->hypervisor);
	free(s->run_dir);
	free(s->state_dir);
	free(s);
}

uint64_t script_turns(const struct script *s)
{
	return s->turns;
}

void script_limit(struct script *s, int64_t budget_ms, size_t memory_bytes)
{
	s->budget_ms = budget_ms;
	s->cap_bytes = memory_bytes;
}
