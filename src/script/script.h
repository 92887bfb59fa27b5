/*
 * Lua: no other directory includes lua.h, and script_call() is the only way in.  The modules of
 * lua/, compiled into the library, read specs in Lua and run hooks.  Values go in and out as
 * copies, in struct node.
 */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/node.h"
#include "base/pairs.h"
#include "platform/sandbox.h"

struct script;

struct script_options {
	int64_t budget_ms;   /* limit of the time that one call spends inside Lua */
	size_t memory_bytes; /* limit of the memory of the Lua state */
	/*
	 * Receives vmrun.log() and print(); level is "error", "warning", "info" or "debug".  Must
	 * not call back into the script.
	 */
	void (*log)(void *context, const char *level, const char *text);
	/*
	 * Waits for what a script of script_call() requests, and answers: see
	 * src/script/hook_request.h.  NULL: scripts cannot wait.  The caller frees the answer.
	 */
	struct node *(*wait)(void *context, const struct node *request);
	void *context;		/* for all of these functions */
	const char *hypervisor; /* what vmrun.host.hypervisor says; copied */
	const char *run_dir;	/* what vmrun.run_dir says, may be NULL; copied */
	const char *state_dir;	/* what vmrun.state_dir says, may be NULL; copied */
	bool dry_run;		/* what vmrun.dry_run says */
	/* The texts of vmrun.args, of which the last of a key counts; copied; NULL: none. */
	const struct pairs *args;
	/*
	 * Leaves a call of script_begin() after 10 ms of Lua, so that a script that computes does
	 * not hold up its caller.
	 */
	bool slices;
	/*
	 * Takes io, os, package and debug away, and limits what scripts may name of the host; lent
	 * for the life of the script.  NULL: no sandbox.
	 */
	const struct sandbox *sandbox;
	/*
	 * Reads vmrun.state when a script first touches it; *out belongs to the caller, NULL:
	 * empty.  NULL functions: scripts have no vmrun.state.
	 */
	int (*load_state)(void *context, struct node **out, struct error *err);
	/*
	 * Saves vmrun.state; the callee finds out whether it has changed.  requested: a script has
	 * called vmrun.save() and is told of every failure; else a failure to save the same state
	 * is reported once.
	 */
	int (*save_state)(
	    void *context, const struct node *state, bool requested, struct error *err);
	/* Receives vmrun.event(), a table as JSON; by is the hook, or NULL. */
	void (*event)(void *context, const char *by, const char *json);
	/*
	 * Finds what vmrun.firmware() asks for; *path is lent.  Fails with STATUS_USAGE for an
	 * unknown kind, which raises; any other failure is returned to the script as the reason.
	 */
	int (*firmware)(void *context, const char *kind, const char **path, struct error *err);
	/*
	 * Returns the seconds that have passed in a simulation, which os.time() and os.date() add
	 * to the host's time.  NULL: none.
	 */
	int64_t (*ahead)(void *context);
};

/*
 * Makes a script.  Fails with STATUS_OS when there is no memory, STATUS_BUG when vmrun's own
 * modules are broken.
 */
int script_new(struct script **out, const struct script_options *options, struct error *err);
/* Frees a script; NULL is fine. */
void script_free(struct script *s);
/* Changes the limits of the calls that follow. */
void script_limit(struct script *s, int64_t budget_ms, size_t memory_bytes);

/*
 * Calls one function of lua/engine.lua with one argument (may be NULL: nil) under the limits.
 * *result (owned by the caller, may be NULL for "nil") is set on success only.
 *
 * A Lua error fails with STATUS_SPEC and the message and traceback as text (several lines); the
 * time limit and the memory limit fail with STATUS_SPEC too and say so; STATUS_BUG is an error in
 * vmrun's own modules.  The state can be used again after each of them.  Never blocks beyond the
 * budget, except in one C function that does not return, such as a hopeless string pattern: Lua
 * cannot interrupt it.
 */
int script_call(struct script *s, const char *function, const struct node *argument,
    struct node **result, struct error *err);

/* A call that waits for its caller to answer: vmrun.exec(), vmrun.sleep(), vmrun.expect(). */
struct script_task;

/* The outcome of a turn in Lua: a result, a wait or a slice.  The nodes belong to the caller. */
struct script_reply {
	struct node *result; /* of the function, NULL for "nil" */
	/*
	 * With a task: the task waits for an answer to it; NULL: the task computes, and was left at
	 * the end of a slice: the caller continues it (without an answer) after its other work.
	 */
	struct node *request;
	struct script_task *task; /* for script_resume(), or script_abandon(); NULL: it ended */
};

/*
 * Begins a call as script_call() does, for a caller that does something else while the script waits
 * or after each slice.  The time limit counts time inside Lua, over all turns.  Several tasks may
 * wait at once; while one is left at the end of a slice, none begins or continues but that one.
 */
int script_begin(struct script *s, const char *function, const struct node *argument,
    struct script_reply *reply, struct error *err);
/*
 * Continues a task with an answer (lent; NULL: nil).  The task is freed unless *reply has it again.
 */
int script_resume(struct script_task *task, const struct node *answer, struct script_reply *reply,
    struct error *err);
/* Lets the time limit of a task that waits count anew from its next turn on. */
void script_task_renew(struct script_task *task);
/* Ends a task that waits or was left: only its __close methods run.  NULL is fine. */
void script_abandon(struct script_task *task);
/* Returns the number of turns so far, each of which may have changed tables. */
uint64_t script_turns(const struct script *s);
/*
 * Returns whether any script of this process has loaded a module in C, which may do anything to the
 * process.
 */
bool script_has_modules(void);
/* Returns whether a task was left at the end of a slice. */
bool script_is_left(const struct script *s);

#endif
