/*
 * Running one command to its end, within a limit of time, and keeping what it writes:
 * command_run() for a caller that does nothing else meanwhile, before a VM runs; command_start()
 * for a loop that has a VM to watch.
 */
#ifndef PROCESS_COMMAND_H
#define PROCESS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "process/job.h"

#define MAX_COMMAND_TAIL 4096 /* bytes of stderr that are kept: the last ones */

struct command {
	char *const *argv; /* NULL-terminated; argv[0] is looked for as program_find() does */
	int64_t limit_ms;  /* a command that still runs then is killed */
	size_t max_output; /* bytes of stdout; a command that writes more is killed */
	const char *input; /* what it finds on stdin, NULL: nothing */
	size_t input_length;
};

enum command_fate {
	COMMAND_ENDED, /* by itself: see end */
	COMMAND_LATE,  /* killed at its limit */
	COMMAND_FLOOD, /* killed, as it wrote more than max_output */
};

struct command_result {
	enum command_fate fate;
	struct process_end end;
	char *out;	   /* stdout, at most max_output bytes and a NUL */
	size_t out_length; /* of these bytes, which may have NULs among them */
	char *err;	   /* the last MAX_COMMAND_TAIL bytes of stderr and a NUL */
};

/*
 * Runs the command in a process group of its own, with stdin at /dev/null (or at its input) and no
 * other descriptor of vmrun's.  It is over when the process ends: what it started and left running
 * is not waited for, even if that holds its pipes, and is left alone.  At the limit the whole group
 * is killed.  The command dies with this process, and is reaped on every path.
 *
 * Returns 0 for every command that ran, however it ended; free the result with command_clear().
 * Fails with STATUS_EXEC_MISSING or STATUS_CANNOT_EXEC when it cannot be executed, STATUS_OS for
 * everything else (also when this process ignores SIGCHLD, or its children are reaped elsewhere);
 * *out is empty then.
 */
int command_run(const struct command *what, struct command_result *out, struct error *err);
/*
 * Returns what went wrong, in one line, with the command's last words: "ls ended with status 2: no
 * such file".  NULL when it ended by itself with status 0.  Caller frees.
 */
char *command_trouble(const struct command *what, const struct command_result *result);
void command_clear(struct command_result *result);
#define COMMAND_RESULT_AUTO __attribute__((cleanup(command_clear)))

enum { COMMAND_OUT, COMMAND_ERR, COMMAND_STREAMS };

/*
 * Starts the command (lent for this call) as a job that watches its output with out_tag +
 * COMMAND_OUT and + COMMAND_ERR, and its end with end_tag(pid).  Its limit is the caller's to
 * enforce, by job_kill().  On failure, as of command_run(), nothing is left.
 */
int command_start(struct job *j, const struct command *what, struct waitset *wait,
    uintptr_t out_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err);
/*
 * Reads a stream once.  Returns false when stdout has more than it may: the caller kills the job.
 */
bool command_read(struct job *j, int stream);
/*
 * Reaps a command that has ended, or was killed and is about to.  *out is as command_run() leaves
 * it; a caller that killed it sets the fate COMMAND_LATE.
 */
int command_finish(struct job *j, struct command_result *out, struct error *err);

#endif
