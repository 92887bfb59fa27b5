/* One running hypervisor: its process, its channels, what it says, and how the terminal was before.
 */
#ifndef MACHINE_CHILD_H
#define MACHINE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hyper/hyper.h"
#include "platform/spawn.h"
#include "platform/terminal.h"
#include "platform/waitset.h"
#include "process/lines.h"

#define CHILD_TAIL 4096 /* bytes of stderr that are kept for the exit report */

/* Tags in the wait set; CHANNEL_STDERR.. are the channels themselves. */
enum { CHILD_TAG_END = CHANNELS, CHILD_TAGS };

enum child_role { CHILD_HYPERVISOR, CHILD_LOADER };

struct child {
	const struct plan *plan; /* lent */
	enum child_role role;
	struct waitset *wait; /* lent */
	pid_t pid;	      /* 0: none runs */
	int fd[CHANNELS];     /* our ends, -1: closed */
	struct lines lines[CHANNELS];
	struct signs signs;
	char tail[CHILD_TAIL + 1]; /* the last bytes of stderr, NUL-terminated */
	size_t tail_length;
	int64_t started_ms;
	struct terminal_state terminal[3];
	/* Where lines of stderr go, one at a time. */
	void (*say)(void *context, const char *line);
	void *say_context;
};

/* What it inherits; the caller's to close. */
struct child_inputs {
	int console; /* its console's input when it uses stdio, or the loader's commands */
	int lock;    /* of ledger_lock_vm(); -1: none */
};

/*
 * Starts the hypervisor of the plan, or its loader, and watches it.  On failure nothing is left
 * open, and the status tells exec faults apart.
 */
int child_start(struct child *c, const struct plan *plan, enum child_role role,
    struct waitset *wait, const struct child_inputs *inputs, struct error *err);
/* Has it our stdin and stdout? */
bool child_uses_stdio(const struct child *c);
/* A channel is readable: takes what is there now. */
void child_read(struct child *c, enum channel channel);
/*
 * The process has ended: reaps it, takes what is left in its pipes without waiting for others that
 * may hold them open, closes everything and puts the terminal back as it was.
 */
int child_finish(struct child *c, struct outcome *outcome, struct error *err);
/* Puts the terminal back as it was, as child_finish() does; in a signal handler too. */
void child_restore_terminal(const struct child *c);
void child_signal(const struct child *c, int signal);
/* Sends text on the control channel; what a dead hypervisor does not take is lost. */
void child_control(const struct child *c, const char *text);

#endif
