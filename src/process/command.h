/*
 * Runs one command to its end, within a time limit, and captures its output: command_run() for a
 * caller that only waits, before a VM runs; command_start() for a loop that watches a VM.
 */
#ifndef PROCESS_COMMAND_H
#define PROCESS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "process/job.h"

#define MAX_COMMAND_TAIL 4096 /* last bytes of stderr that are captured */

struct command {
	char *const *argv; /* NULL-terminated; program_find() finds argv[0] */
	int64_t limit_ms;  /* a command that runs longer is killed */
	size_t max_output; /* bytes of stdout; a command that writes more is killed */
	bool drops_output; /* its stdout is /dev/null */
	const char *input; /* its stdin; NULL: /dev/null */
	size_t input_length;
	const char *directory;	  /* absolute: where the command runs; NULL: vmrun's */
	char *const *environment; /* changes, as of struct job_setup; NULL: none */
	const char *lock_file;	  /* as of struct spawn; NULL: the command dies with this process */
};

enum command_fate {
	COMMAND_ENDED,	/* exited or died of a signal: see end */
	COMMAND_LATE,	/* killed at its limit */
	COMMAND_FLOOD,	/* killed because it wrote more than max_output */
	COMMAND_UNREAD, /* ended, but its output could not be read: see read_error */
};

struct command_result {
	enum command_fate fate;
	struct process_end end;
	int read_error;	   /* errno */
	char *out;	   /* stdout, at most max_output bytes and a NUL */
	size_t out_length; /* of `out`, which may contain NULs */
	char *err;	   /* the last MAX_COMMAND_TAIL bytes of stderr and a NUL */
	size_t err_length; /* of `err`, likewise */
};

/*
 * Runs the command in a process group of its own, with stdin at /dev/null (or at its input) and no
 * other descriptor of vmrun's.  The command ends with its process: vmrun neither waits for nor ends
 * processes that it left running, even if they hold its pipes.  At the limit vmrun kills the whole
 * group.  The command is reaped on every path.
 *
 * Returns 0 for every command that ran, however it ended; free the result with command_clear().
 * Fails with STATUS_EXEC_MISSING or STATUS_CANNOT_EXEC when it cannot be executed, STATUS_OS for
 * everything else (also when this process ignores SIGCHLD, or its children are reaped elsewhere);
 * *out is empty then.
 */
int command_run(const struct command *what, struct command_result *out, struct error *err);
/*
 * Returns the failure in one line, with the end of stderr: "ls ended with status 2: no such file".
 * NULL if the command exited with status 0.  Caller frees.
 */
char *command_trouble(const struct command *what, const struct command_result *result);
/* Frees the output and zeroes the result. */
void command_clear(struct command_result *result);
#define COMMAND_RESULT_AUTO __attribute__((cleanup(command_clear)))

enum { COMMAND_OUT, COMMAND_ERR, COMMAND_STREAMS };

/*
 * Starts the command (lent for this call) as a job that watches its output with out_tag +
 * COMMAND_OUT and + COMMAND_ERR, and its end with end_tag(pid).  The caller enforces the time limit
 * by job_kill().  Fails like command_run(), and leaves nothing then.
 */
int command_start(struct job *j, const struct command *what, struct waitset *wait,
    uintptr_t out_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err);
/*
 * Reads a stream once.  Returns false if stdout exceeds max_output: the caller kills the job.
 */
bool command_read(struct job *j, int stream);
/*
 * Reaps a command that has ended, or was killed and ends now, and fills in *out like command_run().
 * A caller that killed the command at its limit sets the fate COMMAND_LATE.
 */
int command_finish(struct job *j, struct command_result *out, struct error *err);

#endif
