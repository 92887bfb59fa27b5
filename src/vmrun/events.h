/* --events: every event as a line of JSON, for a file or for whoever reads a descriptor. */
#ifndef VMRUN_EVENTS_H
#define VMRUN_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "sink.h"
#include "vmrun/vmrun.h"

struct event_line;

/* Zeroed: nobody wants them, and nothing here does anything. */
struct events {
	const char *where; /* as the user named it */
	struct sink *sink; /* for what cannot be written */
	const char *vm;
	int fd;	      /* -1: none (any more) */
	bool is_file; /* a path, opened here */
	bool begun;
	bool failing; /* it takes nothing, which has been said; tried again at the next event */
	struct event_line *first, *last; /* not written yet */
	size_t bytes;			 /* of them all, */
	size_t done;			 /* and those of the first that are written */
	struct vmrun_event lost;	 /* of those that had no room; lost.lost: how many */
};

/*
 * Takes a destination: a path, "fd:N" or "-" for stdout.  A descriptor that is not open must be
 * told before anything of ours can get its number: NULL, or what is wrong (a static text).
 */
const char *events_prepare(struct events *events, const char *where, struct sink *sink);
/*
 * Opens it for this VM, which has no problems.  Until events_begin() nothing is written: a VM that
 * is supervised already may have the same file.  Returns 0, or a status and what is wrong in *why.
 */
int events_open(struct events *events, struct vmrun *vm, const char **why);
void events_begin(struct events *events);
/* Writes an event, or keeps it until events_flush(). Never waits. */
void events_add(struct events *events, const struct vmrun_event *event);
/* What has to be writable for events_flush() to have something to do; -1: nothing. */
int events_fd(const struct events *events);
void events_flush(struct events *events);
/* A file that was renamed stays as it is, and a new one is made under the old name. */
void events_reopen(struct events *events);
/* Writes what is left, if a reader takes it soon. */
void events_close(struct events *events);

#endif
