/*
 * The private interface of src/script.  No other directory includes it: it knows Lua.
 *
 * Each function that changes Lua's stack says so in a line of this form before it:
 *
 *	stack: BEFORE -> AFTER
 *
 * Both sides list values from the bottom to the top; "..." are values that stay untouched, [value]
 * may be missing, and "|" separates alternatives.  Without "..." it is the whole stack, as of a
 * function that Lua calls: its arguments and its results. "(raises)": the function does not return.
 */
#ifndef SCRIPT_INTERNAL_H
#define SCRIPT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include <lauxlib.h>

#include "base/str.h"
#include "script/heap.h"
#include "script/script.h"

/* Chunk names of vmrun's own modules start with it: tracebacks leave out their frames. */
#define OWN_CHUNK "[vmrun "

#define PLACE_SIZE (LUA_IDSIZE + 16)

struct script {
	lua_State *L;
	struct heap heap;
	size_t used_bytes, cap_bytes;
	size_t live_bytes; /* in use after the last early collection */
	int64_t budget_ms, deadline_ms;
	int64_t slice_ms;    /* when Lua is left; INT64_MAX: this turn is not left */
	int64_t callback_ms; /* when a callback that cannot be left raises; or INT64_MAX */
	bool slices;	     /* turns of script_begin() are left */
	bool left;	     /* Lua is left now, at the end of a slice */
	int said;	     /* messages and events of this turn */
	unsigned steps;	     /* of C functions, see script_step() */
	uint64_t turns;	     /* so far */
	struct script_task *left_task; /* was left, and continues next; NULL: none */
	bool busy;		       /* inside script_call() */
	bool expired;		       /* the deadline of this call has passed */
	bool refused;		       /* the allocator has refused memory in this call */
	bool in_hook;		       /* this call runs a hook: functions that block are refused */
	char place[PLACE_SIZE];	       /* "vm.lua:3: ", where the deadline found the script */
	char *trace;		       /* its traceback there */
	void (*log)(void *context, const char *level, const char *text);
	struct node *(*wait)(void *context, const struct node *request);
	struct node *request;	   /* of the wait that leaves Lua now, or NULL */
	const struct node *answer; /* to the wait that continues; lent */
	int unyielding;		   /* coroutine.resume() calls under way that cannot yield */
	int (*load_state)(void *context, struct node **out, struct error *err);
	int (*save_state)(
	    void *context, const struct node *state, bool requested, struct error *err);
	void (*event)(void *context, const char *by, const char *json);
	int (*firmware)(void *context, const char *kind, const char **path, struct error *err);
	int64_t (*ahead)(void *context);
	void *context; /* of these functions */
	/* Limits what the script may name of the host; NULL: no limit, and it may run commands. */
	const struct sandbox *sandbox;
	char *hypervisor, *run_dir, *state_dir;
	bool dry_run;
	/* For vmrun.args, while the state opens. */
	const struct pairs *args;
	lua_CFunction error; /* Lua's error() */
	bool state_touched;  /* vmrun.state has been read into Lua */
	struct node *lent;   /* on its way into or out of Lua: no leak when Lua jumps */
	char *error_text;    /* likewise the text of an error of the program */
	struct str file;     /* a Lua file while it is compiled */
	struct str line;     /* what io.write() has written since the last newline */
};

/* Returns the script of a coroutine: Lua copies the extra space of the main thread into each. */
static inline struct script *script_of(lua_State *L)
{
	return *(struct script **)lua_getextraspace(L);
}

/* limits.c: begins a turn in Lua; the clock starts at used_ms. */
void script_call_begin(struct script *s, int64_t used_ms);
/*
 * limits.c: lets the count hook leave this turn after 10 ms of Lua.  Callbacks of C functions,
 * which cannot be left, raise an error after 1 s.
 */
void script_slice_begin(struct script *s);
/* limits.c: counts a message or an event; a turn with many of them is left early. */
void script_note_said(struct script *s);
/*
 * limits.c: begins to count instructions, so that scripts are interrupted.  Until there are
 * scripts, only vmrun's own modules run, for which the count would take a quarter of their time.
 */
void script_watch(lua_State *L);
/*
 * limits.c: counts a step of a C function whose time has no limit of its own.  Gives control up or
 * raises once the function has taken too long.
 */
void script_step(lua_State *L);
/* limits.c: ends the turn. */
void script_call_end(struct script *s, bool failed);
/* limits.c: returns the time that the call has spent in Lua. */
int64_t script_used_ms(const struct script *s);
/* raise.c: writes "vm.lua:3: ", the innermost frame of the user; "" when there is none. */
void script_find_place(lua_State *L, char *place, size_t size);
/* limits.c: gives control up after the deadline; return its result to Lua. */
int script_leave(lua_State *L);
/* limits.c: returns a size as "64 MiB".  Caller frees. */
char *script_size_text(size_t bytes);

/*
 * vmrun_state.c: saves vmrun.state if a script has touched it, after each turn of a hook in Lua.
 * Fails with the key path of a value that cannot be saved; the next touch reads the last saved
 * state.
 */
int script_save_state(struct script *s, struct error *err);

/*
 * raise.c: pushes the user's frames of a thread from that level outwards, under the heading "stack
 * traceback:"; "" when there are none.
 */
void script_push_frames(lua_State *L, lua_State *from, int level);

/* raise.c: raises the text on the top with its place, "vm.lua:3: text". */
int script_raise(lua_State *L);
/* raise.c: pushes a text with "?" in place of each NUL, which would end a message; lends it. */
const char *script_push_visible(lua_State *L, const char *text, size_t length);
/* Raises an error inside a hook, where `what` would block. */
void script_refuse_in_hook(lua_State *L, const char *what);

/* callbacks.c: frees s->lent and s->error_text. */
void script_drop_lent(struct script *s);
/* callbacks.c: pushes the text of an error and clears the error. */
void script_push_error(lua_State *L, struct error *err);

/*
 * vmrun_state.c, callbacks.c: add the C functions of vmrun.state, and those of vmrun.event and
 * vmrun.firmware, to the table on the top.
 */
void vmrun_state_open(lua_State *L);
void callbacks_open(lua_State *L);

/* api.c: makes the C functions that the modules of lua/ need, and runs lua/engine.lua. */
void api_open(lua_State *L);
/* api.c: pushes the function that lua/engine.lua returned; it takes a name and an argument. */
void api_push_engine(lua_State *L);

#endif
