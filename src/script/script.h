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

struct script;

struct script_options {
	int64_t budget_ms;   /* time inside Lua that one call may take */
	size_t memory_bytes; /* all that the Lua state may hold */
	/*
	 * Where vmrun.log() and print() go; level is "error", "warning", "info" or "debug".  It
	 * must not call back into the script.
	 */
	void (*log)(void *context, const char *level, const char *text);
	void *context;		/* for all of these functions */
	const char *hypervisor; /* what vmrun.host.hypervisor says; copied */
	bool sandbox;		/* scripts are somebody else's: without io, os, package, debug */
	/*
	 * vmrun.state, read when a script first touches it; *out is owned by the caller, NULL:
	 * empty.  NULL functions: there is none.
	 */
	int (*load_state)(void *context, struct node **out, struct error *err);
	/* Called with what it has become; the callee finds out whether that is something new. */
	int (*save_state)(void *context, const struct node *state, struct error *err);
	/* vmrun.event(): a table as JSON; by is the hook, or NULL. */
	void (*event)(void *context, const char *by, const char *json);
	/*
	 * vmrun.firmware(): *path is lent.  STATUS_USAGE when there is no such kind, which raises;
	 * else the script is told why there is none.
	 */
	int (*firmware)(void *context, const char *kind, const char **path, struct error *err);
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

/*
 * Saves vmrun.state if a script has touched it: to be called after each call of a hook, whatever
 * came of it, and before a hook waits.  What cannot be kept fails with its key path; the next touch
 * finds what was kept before.
 */
int script_keep(struct script *s, struct error *err);

#endif
