/* The stream of --events: each event as a line of JSON, to a file or a descriptor. */
#ifndef VMRUN_EVENTS_H
#define VMRUN_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "sink.h"
#include "vmrun/vmrun.h"

struct event_line;

/* While it is zeroed, without --events, the functions below do nothing. */
struct events {
	const char *destination; /* as the user named it */
	struct sink *sink;	 /* for warnings about failed writes */
	const char *vm;
	int fd;	      /* -1: closed, or not open yet */
	bool is_file; /* the destination is a path */
	bool begun;
	bool failing; /* a write failed, with a warning; the next event tries again */
	STAILQ_HEAD(event_lines, event_line) lines; /* not written yet */
	size_t bytes;				    /* of all lines */
	size_t done;				    /* bytes of the first line that are written */
	struct vmrun_event lost; /* reports lost events; lost.lost is their number */
};

/*
 * Sets the destination: a path, "fd:N" or "-" for stdout.  Must be called before vmrun opens a
 * file, because that file could get the number N of a closed descriptor.  Returns NULL or a static
 * error message.
 */
const char *events_prepare(struct events *events, const char *where, struct sink *sink);
/*
 * Opens the destination for a VM without problems, but writes nothing until events_begin(), because
 * another vmrun of this VM may use the same file.  Returns 0, or an exit status with the reason in
 * *why.
 */
int events_open(struct events *events, struct vmrun *vm, const char **why);
/* Starts to write. */
void events_begin(struct events *events);
/* Writes an event, or queues it for events_flush(); never blocks. */
void events_add(struct events *events, const struct vmrun_event *event);
/* Returns the descriptor to poll for writing before events_flush(), or -1. */
int events_fd(const struct events *events);
/* Writes as much as the destination accepts without blocking. */
void events_flush(struct events *events);
/* Opens the file again by its name after a log rotation. */
void events_reopen(struct events *events);
/* Writes the queued events, unless the reader is too slow, and closes the destination. */
void events_close(struct events *events);

#endif
