/* A command of ours that runs beside the VM: one at a time, with a limit, its output kept. */
#ifndef PROCESS_HELPER_H
#define PROCESS_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/str.h"
#include "base/words.h"
#include "platform/waitset.h"

enum helper_capture {
	HELPER_SILENT, /* its output goes nowhere */
	HELPER_ANSWER, /* its standard output is kept */
	HELPER_ALL,    /* and what it says on stderr too */
};

struct helper {
	pid_t pid; /* 0: none runs */
	int fd;	   /* our end of its output, -1: none */
	bool killed;
	int status;   /* of the one that ended last; -1: it was killed, or could not run */
	bool missing; /* there was no such program */
	struct str output;
};

#define HELPER_OUTPUT_MOST ((size_t)4 << 20) /* what is beyond is lost */

/*
 * Starts a command; a helper that still runs is killed first: it has been waited for long enough.
 * Its end comes as WAKE_CHILD with end_tag(pid), its output as WAKE_READABLE with output_tag.
 */
int helper_start(struct helper *h, const struct words *command, enum helper_capture capture,
    struct waitset *wait, uintptr_t output_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err);
/* Its output is readable. */
void helper_read(struct helper *h, struct waitset *wait);
/* It has ended: reaps it.  False when it is one that was given up. */
bool helper_ended(struct helper *h, pid_t pid, struct waitset *wait);
/* How the last one failed: its last line, or its status. Caller frees. */
char *helper_words(const struct helper *h);
void helper_kill(struct helper *h);
/* Waits no longer for it: it is reaped when it ends, if it ever does. */
void helper_give_up(struct helper *h, struct waitset *wait);
/* Kills and reaps it. */
void helper_free(struct helper *h, struct waitset *wait);

#endif
