/* --events: every event as a line of JSON, to a file or a descriptor. */
#ifndef VMRUN_EVENTS_H
#define VMRUN_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "sink.h"
#include "vmrun/vmrun.h"

struct event_line;

/* Zeroed: --events was not given, and no function here does anything. */
struct events {
	const char *destination; /* as the user named it */
	struct sink *sink;	 /* for warnings about failed writes */
	const char *vm;
	int fd;	      /* -1: closed, or not open yet */
	bool is_file; /* a path, opened here */
	bool begun;
	bool failing; /* a write failed, with a warning; the next event tries again */
	STAILQ_HEAD(event_lines, event_line) lines; /* not written yet */
	size_t bytes;				    /* of all lines */
	size_t done;				    /* bytes of the first line that are written */
	struct vmrun_event lost; /* the event that reports lost events; lost.lost: how many */
};

/*
 * Takes a destination: a path, "fd:N" or "-" for stdout.  Call it before vmrun opens any file,
 * which could get the number of a descriptor that is not open.  Returns NULL, or what is wrong (a
 * static text).
 */
const char *events_prepare(struct events *events, const char *where, struct sink *sink);
/*
 * Opens the destination for a VM without problems.  Until events_begin() nothing is written:
 * another vmrun of this VM may use the same file.  Returns 0, or a status, with the reason in *why.
 */
int events_open(struct events *events, struct vmrun *vm, const char **why);
/* Begins to write. */
void events_begin(struct events *events);
/* Writes an event, or keeps it until events_flush(). Never waits. */
void events_add(struct events *events, const struct vmrun_event *event);
/* Returns the descriptor to poll for writing before events_flush(); -1: none. */
int events_fd(const struct events *events);
/* Writes what the destination takes now. */
void events_flush(struct events *events);
/* Opens the file again by its name, after a log rotation. */
void events_reopen(struct events *events);
/* Writes what is left, if the reader takes it soon, and closes the destination. */
void events_close(struct events *events);

#endif
