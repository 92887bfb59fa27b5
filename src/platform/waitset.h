/*
 * The events that one supervisor waits for: descriptors, the end of child processes and one
 * deadline, in one set that is itself a pollable descriptor (epoll with pidfd and timerfd, or
 * kqueue).  No threads, no signal handlers, no wake-up while nothing happens.
 */
#ifndef PLATFORM_WAITSET_H
#define PLATFORM_WAITSET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct waitset;

enum wake_kind {
	WAKE_READABLE, /* a watched descriptor is readable, or its other end is closed */
	WAKE_CHILD,    /* a watched child has ended: waitpid() for it will not block for long */
	WAKE_DEADLINE, /* the deadline has passed; it is disarmed now */
};

struct wake {
	enum wake_kind kind;
	uintptr_t tag; /* as given when watching; 0 for the deadline */
};

int waitset_new(struct waitset **out, struct error *err);
/*
 * Frees a set; NULL is fine.  Watched descriptors stay open: they belong to the caller.  Reaps the
 * children that were left, for which it waits at most a second.
 */
void waitset_free(struct waitset *ws);
/* Returns the descriptor that becomes readable when waitset_next() would return an event. */
int waitset_fd(const struct waitset *ws);
/*
 * Watches a pipe, socket or terminal; Linux refuses regular files and /dev/null, which are always
 * readable.  The event repeats for as long as the descriptor is readable.  Another call changes the
 * tag.
 */
int waitset_watch_fd(struct waitset *ws, int fd, uintptr_t tag, struct error *err);
/*
 * Chooses the events of a watched descriptor: at first, readable.  Writable is reported as
 * WAKE_READABLE too: a caller that wants both tries both.
 */
void waitset_want(struct waitset *ws, int fd, uintptr_t tag, bool reading, bool writing);
/* Ends the watch; call before closing the descriptor.  Fine for one that is not watched. */
void waitset_forget_fd(struct waitset *ws, int fd);
/* Watches a child of this process that is not yet reaped.  Its end is reported once. */
int waitset_watch_child(struct waitset *ws, pid_t pid, uintptr_t tag, struct error *err);
/*
 * Notes that the caller gives up a watched child, which it has killed: it reaps the child when its
 * end is reported; waitset_free() does so if that comes first.
 */
void waitset_leave_child(struct waitset *ws, pid_t pid);
/* Sets the deadline, in terms of clock_ms(), and replaces the previous one; negative: none. */
int waitset_set_deadline(struct waitset *ws, int64_t at_ms, struct error *err);
/*
 * Takes one event, waiting at most timeout_ms for it (0: not at all, negative: for ever).  Returns
 * 1 with *wake filled, 0 when there was no event in time, -1 on failure.  Interrupted waits
 * continue.  Ready events take turns, so none starves.
 */
int waitset_next(struct waitset *ws, int timeout_ms, struct wake *wake, struct error *err);

#endif
