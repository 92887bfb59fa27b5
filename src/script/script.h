/*
 * The room of Lua: nothing outside it includes lua.h, and script_call() is the only way in.
 * Behind it stand the modules of lua/ (compiled into the library): they hold the document, merge
 * targets and run hooks.  Values cross the border as struct node, copied both ways.
 */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/node.h"
#include "platform/sandbox.h"

struct script;

struct script_options {
	int64_t budget_ms;   /* time inside Lua that one call may take */
	size_t memory_bytes; /* all that the Lua state may hold */
	/*
	 * Where vmrun.log() and print() go; level is "error", "warning", "info" or "debug".  It
	 * must not call back into the script.
	 */
	void (*log)(void *context, const char *level, const char *text);
	/*
	 * Waits for what a script of script_call() asked for, and answers: see
	 * src/machine/hook_request.h.  NULL: nothing is waited for.  The caller frees the answer.
	 */
	struct node *(*wait)(void *context, const struct node *request);
	void *context;		/* for all of these functions */
	const char *hypervisor; /* what vmrun.host.hypervisor says; copied */
	/* Scripts run without io, os, package and debug, and may name what this allows of the host;
	 * lent as long as the script lives.  NULL: they may do everything. */
	const struct sandbox *sandbox;
	/*
	 * vmrun.state, read when a script first touches it; *out is owned by the caller, NULL:
	 * empty.  NULL functions: there is none.
	 */
	int (*load_state)(void *context, struct node **out, struct error *err);
	/*
	 * Keeps what it has become; the callee finds out whether that is something new.  asked: a
	 * script has called vmrun.save(), and hears of every failure; else a failure to keep the
	 * same state is told once.
	 */
	int (*save_state)(void *context, const struct node *state, bool asked, struct error *err);
	/* vmrun.event(): a table as JSON; by is the hook, or NULL. */
	void (*event)(void *context, const char *by, const char *json);
	/*
	 * vmrun.firmware(): *path is lent.  STATUS_USAGE when there is no such kind, which raises;
	 * else the script is told why there is none.
	 */
	int (*firmware)(void *context, const char *kind, const char **path, struct error *err);
	/* Seconds by which os.time() and os.date() are ahead of the host's: those that have passed
	 * in a simulation.  NULL: none. */
	int64_t (*ahead)(void *context);
};

/* Fails with STATUS_OS when there is no memory, STATUS_BUG when our own modules are broken. */
int script_new(struct script **out, const struct script_options *options, struct error *err);
/* NULL is fine. */
void script_free(struct script *s);
void script_limit(struct script *s, int64_t budget_ms, size_t memory_bytes);

/*
 * Calls one function of lua/engine.lua with one argument (may be NULL: nil) under the limits.
 * *result (owned by the caller, may be NULL for "nil") is set on success only.
 *
 * A Lua error fails with STATUS_SPEC and the message and traceback as text (several lines); the
 * time limit and the memory limit fail with STATUS_SPEC too and say so; STATUS_BUG is an error in
 * our own modules.  The state can be used again after each of them.  Never blocks beyond the
 * budget, but for what Lua cannot interrupt (one C function that does not return: a hopeless string
 * pattern).
 */
int script_call(struct script *s, const char *function, const struct node *argument,
    struct node **result, struct error *err);

/* A call that waits for an answer from outside: vmrun.exec(), vmrun.sleep(). */
struct script_task;

/* What a stay in Lua came to: a result, or a wait.  The nodes are the caller's. */
struct script_reply {
	struct node *result;	  /* of the function, NULL for "nil" */
	struct node *request;	  /* not NULL: it waits for an answer to this, */
	struct script_task *task; /* which script_resume() gives, unless script_abandon() ends it */
};

/*
 * As script_call(), for a caller who has something else to do while the script waits.  The limit of
 * time counts what is spent inside Lua, over all stays.  Several tasks may wait at once.
 */
int script_begin(struct script *s, const char *function, const struct node *argument,
    struct script_reply *reply, struct error *err);
/* Goes on with an answer (lent, NULL: nil); the task is gone unless *reply has it again. */
int script_resume(struct script_task *task, const struct node *answer, struct script_reply *reply,
    struct error *err);
/* Ends a task that waits: its __close methods run, nothing else of it does. NULL is fine. */
void script_abandon(struct script_task *task);

#endif
