/*
 * A helper: a command of vmrun's own that runs beside the VM, one at a time, its output kept.  Its
 * limit of time is the caller's.
 */
#ifndef PROCESS_HELPER_H
#define PROCESS_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/words.h"
#include "process/job.h"

#define MAX_HELPER_OUTPUT ((size_t)4 << 20) /* bytes that are kept; what follows is lost */

enum helper_capture {
	HELPER_SILENT, /* nothing is kept */
	HELPER_STDOUT, /* standard output is kept */
	HELPER_ALL,    /* standard output and standard error are kept */
	HELPER_CAPTURES
};

/* A zeroed helper is one that does not run. */
struct helper {
	struct job job;
	bool killed;
	int status; /* of the last one that ended; -1: it was killed, or did not start */
};

/*
 * Starts a command.  A helper that still runs is killed first and forgotten: its time is over.  The
 * end is WAKE_CHILD with end_tag(pid), output is WAKE_READABLE with output_tag.
 */
int helper_start(struct helper *h, const struct words *command, enum helper_capture capture,
    struct waitset *wait, uintptr_t output_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err);
/* Takes some of the output that is there. */
void helper_read(struct helper *h);
/* Reaps the process of that pid, which has ended; returns whether it was this helper's. */
bool helper_ended(struct helper *h, pid_t pid);
/* Lends what the last one has written, "" if nothing. */
const char *helper_output(const struct helper *h);
/* Returns why the last one failed: the last line of its output, or its status.  Caller frees. */
char *helper_words(const struct helper *h);
void helper_kill(struct helper *h);
/* Waits no longer for the helper: helper_ended() reaps it when it ends, if it ever does. */
void helper_give_up(struct helper *h);
/* Kills and reaps it, and frees what it has written. */
void helper_free(struct helper *h);

#endif
