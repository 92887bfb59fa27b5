/*
 * Running one command to its end and keeping what it says.  The caller does nothing else meanwhile:
 * for the time before a VM runs, not for a supervisor with a VM.
 */
#ifndef PLATFORM_COMMAND_H
#define PLATFORM_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "platform/spawn.h"

#define COMMAND_TAIL 4096 /* bytes of stderr that are kept: the last ones */

struct command {
	char *const *argv; /* NULL-terminated; argv[0] is looked for as program_find() does */
	int64_t limit_ms;  /* what still runs then is killed */
	size_t most;	   /* bytes of stdout; who writes more is killed */
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

#endif
