/*
 * A helper: one of vmrun's own commands, which runs beside the VM, one at a time.  The caller
 * enforces the time limit.
 */
#ifndef PROCESS_HELPER_H
#define PROCESS_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/words.h"
#include "process/job.h"

#define MAX_HELPER_OUTPUT ((size_t)4 << 20) /* bytes that are captured; the rest is lost */

enum helper_capture {
	HELPER_SILENT, /* captures nothing */
	HELPER_STDOUT, /* captures standard output */
	HELPER_ALL,    /* captures standard output and standard error */
	HELPER_CAPTURES
};

/* A zeroed helper does not run. */
struct helper {
	struct job job;
	/*
	 * As of struct spawn, lent for the next helper_start() only; NULL: the command dies with
	 * vmrun.
	 */
	const char *lock_file;
	bool changes_host; /* the command was started with such a file */
	bool killed;
	int status; /* of the last one that ended; -1: it was killed, or did not start */
};

/*
 * Starts a command.  Kills a helper that still runs and gives it up first.  The end is WAKE_CHILD
 * with end_tag(pid), output is WAKE_READABLE with output_tag.
 */
int helper_start(struct helper *h, const struct words *command, enum helper_capture capture,
    struct waitset *wait, uintptr_t output_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err);
/* Reads the output once. */
void helper_read(struct helper *h);
/*
 * Reaps the process of that pid, which has ended: the helper, or one that was given up.  Returns
 * whether it was the helper.
 */
bool helper_ended(struct helper *h, pid_t pid);
/* Lends the output of the last helper, "" if there is none. */
const char *helper_output(const struct helper *h);
/* Returns the errno of the read after which its output has a gap, or 0: all of it was read. */
int helper_read_error(const struct helper *h);
/* Returns why the last helper failed: the last line of its output, or its status.  Caller frees. */
char *helper_trouble(const struct helper *h);
/* Kills the helper if it runs; helper_ended() reaps it. */
void helper_kill(struct helper *h);
/* Gives the helper up: helper_ended() reaps its process if it ever ends. */
void helper_give_up(struct helper *h);
/*
 * Kills the command and waits for it no longer.  One that changes the host has 50 ms to end by
 * itself: killed half-way, it may leave what nothing can undo.
 */
void helper_abandon(struct helper *h);
/*
 * Kills and reaps the helper, and frees its output.  Waits for a command that changes the host, for
 * at most 10 s.
 */
void helper_free(struct helper *h);

#endif
