/*
 * The child: the hypervisor that runs, or its loader before it; what it says on its channels, and
 * how the terminal was before.
 */
#ifndef MACHINE_CHILD_H
#define MACHINE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "hyper/hyper.h"
#include "platform/terminal.h"
#include "process/job.h"
#include "process/lines.h"

#define CHILD_TERMINALS 3   /* its input, stdout and stderr */
#define MAX_CHILD_TAIL 4096 /* bytes of stderr for the exit report: the last ones */

/* Tags in the wait set; each channel is the tag of its own. */
enum { CHILD_TAG_END = CHANNELS, CHILD_TAGS };

enum child_role { CHILD_HYPERVISOR, CHILD_LOADER };

struct child {
	const struct plan *plan; /* lent */
	enum child_role role;
	struct job job; /* its streams are the channels */
	struct lines lines[CHANNELS];
	struct signs signs;
	bool has_log;	   /* the user wants a copy of the hypervisor's log */
	int log;	   /* with has_log: its descriptor */
	struct str copied; /* from the log, and not yet written there */
	struct str tail;   /* the end of stderr of the child that ended last */
	int64_t started_ms;
	struct terminal_state terminal[CHILD_TERMINALS];
	/* Called with each line of stderr. */
	void (*say)(void *context, const char *line);
	/* Called with each processor of the guest and its thread, if the plan asks for them. */
	void (*tell_thread)(void *context, int64_t processor, int64_t thread);
	void *say_context; /* of both */
};

/* Descriptors that the child inherits; the caller closes them. */
struct child_inputs {
	int console; /* the console's input where the child uses stdio, or the loader's commands */
	int lock;    /* of ledger_lock_vm(); -1: none */
	const sigset_t *changed_signals; /* as of struct spawn */
};

/*
 * Starts the hypervisor of the plan, or its loader, and watches it.  On failure nothing is left
 * open, and the status tells exec faults apart.
 */
int child_start(struct child *c, const struct plan *plan, enum child_role role,
    struct waitset *wait, const struct child_inputs *inputs, struct error *err);
/* Frees what a child that has ended left in memory. */
void child_free(struct child *c);
/* Lends the tail, "" if there is none. */
const char *child_tail(const struct child *c);
/* Returns whether the child has vmrun's stdin and stdout. */
bool child_uses_stdio(const struct child *c);
/* Reads a channel once. */
void child_read(struct child *c, enum channel channel);
/*
 * Reaps the child, which has ended, reads what its channels still hold, closes them and restores
 * the terminal.  Does not wait for other processes that hold a channel open.
 */
int child_finish(struct child *c, struct outcome *outcome, struct error *err);
/* Puts the terminal back as it was, as child_finish() does; in a signal handler too. */
void child_restore_terminal(const struct child *c);
void child_signal(const struct child *c, int signal);
/* Sends text on the control channel; what a dead hypervisor does not take is lost. */
void child_control(const struct child *c, const char *text);

#endif
