/*
 * Running one command to its end and keeping what it says: command_run() for a caller who does
 * nothing else meanwhile, before a VM runs; struct running for a loop that has a VM to watch.
 */
#ifndef PROCESS_COMMAND_H
#define PROCESS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "platform/spawn.h"
#include "platform/waitset.h"

#define COMMAND_TAIL 4096 /* bytes of stderr that are kept: the last ones */

struct command {
	char *const *argv; /* NULL-terminated; argv[0] is looked for as program_find() does */
	int64_t limit_ms;  /* what still runs then is killed */
	size_t most;	   /* bytes of stdout; who writes more is killed */
	const char *input; /* what it finds on stdin, NULL: nothing */
	size_t input_length;
};

enum command_fate {
	COMMAND_ENDED, /* by itself: see end */
	COMMAND_LATE,  /* killed at its limit */
	COMMAND_FLOOD, /* wrote more than `most` */
};

struct command_result {
	enum command_fate fate;
	struct process_end end;
	char *out;	   /* stdout, at most `most` bytes and a NUL */
	size_t out_length; /* of these bytes, which may have NULs among them */
	char *err;	   /* the last COMMAND_TAIL bytes of stderr and a NUL */
};

/*
 * Runs the command in a process group of its own, with stdin at /dev/null and no other descriptor
 * of ours.  It is over when the process ends, whoever still holds its pipes: what it started and
 * left running is not waited for, and left alone.  At the limit the whole group is killed.  It dies
 * with this process, and is reaped on every path.
 *
 * Returns 0 for every command that ran, however it ended; free the result with command_clear().
 * Fails with STATUS_EXEC_MISSING or STATUS_CANNOT_EXEC when it cannot be executed, STATUS_OS for
 * everything else (also when this process ignores SIGCHLD, or somebody else reaps its children);
 * *out is empty then.
 */
int command_run(const struct command *what, struct command_result *out, struct error *err);
/*
 * What went wrong, in one line, with its last words: "ls ended with status 2: no such file".  NULL
 * when it ended by itself with status 0.  Caller frees.
 */
char *command_trouble(const struct command *what, const struct command_result *result);
void command_clear(struct command_result *result);

enum { COMMAND_OUT, COMMAND_ERR, COMMAND_STREAMS };

/* A command that runs beside something else.  Start from RUNNING. */
struct running {
	struct waitset *wait; /* lent */
	pid_t pid;	      /* 0: none, or reaped */
	size_t most;
	int fd[COMMAND_STREAMS];
	struct str text[COMMAND_STREAMS];
};

#define RUNNING                            \
	{                                  \
		.pid = 0, .fd = { -1, -1 } \
	}

/*
 * Starts the command (lent for this call) and watches its output with out_tag + COMMAND_OUT and +
 * COMMAND_ERR, and its end with end_tag(pid).  Its limit is the caller's business.  On failure, as
 * of command_run(), nothing is left.
 */
int running_start(struct running *r, const struct command *what, struct waitset *wait,
    uintptr_t out_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err);
/* A stream is readable.  False: it has written more than it may, and is to be killed. */
bool running_read(struct running *r, int stream);
/* Sends SIGKILL to its group. */
void running_kill(const struct running *r);
/*
 * It has ended, or was killed and ends now: reaps it and takes what is in its pipes.  *out is as
 * command_run() leaves it; fate is the caller's to correct where it has killed.
 */
int running_finish(struct running *r, struct command_result *out, struct error *err);
/* Closes and forgets everything; the process, if there is still one, is left to who reaps it. */
void running_drop(struct running *r);

#endif
