/* What the files of this room share.  Nothing outside includes it: it knows Lua. */
#ifndef SCRIPT_ROOM_H
#define SCRIPT_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <lua.h>

#include <lauxlib.h>

#include "base/str.h"
#include "script/script.h"

/* Our own modules have chunk names that start so: their frames are left out of tracebacks. */
#define ROOM_CHUNK "[vmrun "

#define ROOM_PLACE_SIZE (LUA_IDSIZE + 16)

struct script {
	lua_State *L;
	size_t used_bytes, cap_bytes;
	size_t kept_bytes; /* what the last early collection has left */
	int64_t budget_ms, deadline_ms;
	bool busy;		     /* inside script_call() */
	bool uncapped;		     /* for code that would not survive a refusal */
	bool expired;		     /* the deadline of this call has passed */
	bool refused;		     /* the allocator has said no in this call */
	bool in_hook;		     /* this call runs a hook: what blocks is refused */
	char place[ROOM_PLACE_SIZE]; /* "vm.lua:3: ", where the deadline found the script */
	char *trace;		     /* its traceback there */
	void (*log)(void *context, const char *level, const char *text);
	struct node *(*wait)(void *context, const struct node *request);
	struct node *request;	   /* of the wait that is on its way out of Lua, or NULL */
	const struct node *answer; /* to the wait that goes on; lent */
	int unyielding;		   /* coroutine.resume() calls under way that cannot yield */
	int (*load_state)(void *context, struct node **out, struct error *err);
	int (*save_state)(void *context, const struct node *state, bool asked, struct error *err);
	void (*event)(void *context, const char *by, const char *json);
	int (*firmware)(void *context, const char *kind, const char **path, struct error *err);
	int64_t (*ahead)(void *context);
	void *context; /* of these functions */
	/* What the script may name of the host; NULL: everything, and it may run commands. */
	const struct sandbox *sandbox;
	char *hypervisor;
	bool state_touched; /* there is a vmrun.state in Lua */
	struct node *lent;  /* on its way in or out: here nothing is lost when Lua jumps */
	char *said;	    /* likewise what a function of the program has said */
	struct str file;    /* of Lua, while it is compiled */
	struct str line;    /* what io.write() has said since the last newline */
};

/* Every coroutine has it: Lua copies the extra space of the main thread. */
static inline struct script *script_of(lua_State *L)
{
	return *(struct script **)lua_getextraspace(L);
}

/* state.c: what surrounds a stay in Lua; between them the clock runs on from used_ms. */
void script_call_begin(struct script *s, int64_t used_ms);
void script_call_end(struct script *s, bool failed);
int64_t script_used_ms(const struct script *s);
/* state.c: "vm.lua:3: ", the innermost frame that is the user's; "" when there is none. */
void script_find_place(lua_State *L, char *place, size_t size);
/* state.c: gives control up after the deadline; what it returns is to be returned to Lua. */
int script_leave(lua_State *L);
/* state.c: "64 MiB". Caller frees. */
char *script_size_text(size_t bytes);

/*
 * kept.c: saves vmrun.state if a script has touched it, after each stay of a hook in Lua.  What
 * cannot be kept fails with its key path; the next touch finds what was kept before.
 */
int script_keep(struct script *s, struct error *err);

/*
 * call.c: pushes the user's frames of a thread from that level outwards, with a line before them
 * that says what they are; "" when there are none.
 */
void script_push_frames(lua_State *L, lua_State *from, int level);

/* api.c: pushes "vm.lua:3: text", the text that is on the top, and raises it. */
int script_raise(lua_State *L);

/* outside.c: frees what s->lent and s->said hold. */
void script_drop_lent(struct script *s);
/* outside.c: pushes the text of an error, and takes it. */
void script_push_said(lua_State *L, struct error *err);

/* Both add C functions to the table on the top: vmrun.state's, vmrun.event's and firmware's. */
void kept_open(lua_State *L);
void outside_open(lua_State *L);

/* api.c: makes the C functions that the modules of lua/ build on, and runs lua/engine.lua. */
void api_open(lua_State *L);
/* api.c: pushes what lua/engine.lua returned: a function of a name and an argument. */
void api_push_engine(lua_State *L);

#endif
