/*
 * What one supervisor waits for: descriptors, the end of child processes and one deadline, in one
 * set that is itself a pollable descriptor (epoll with pidfd and timerfd, or kqueue).  No threads,
 * no signal handlers, no wake-up while nothing happens.
 */
#ifndef PLATFORM_WAITSET_H
#define PLATFORM_WAITSET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct waitset;

enum wake_kind {
	WAKE_READABLE, /* a watched descriptor can be read, or its other end is closed */
	WAKE_CHILD,    /* a watched child has ended: waitpid() for it will not block for long */
	WAKE_DEADLINE, /* the deadline has come; it is disarmed now */
};

struct wake {
	enum wake_kind kind;
	uintptr_t tag; /* as given when watching; 0 for the deadline */
};

int waitset_new(struct waitset **out, struct error *err);
/* NULL is fine. Watched descriptors stay open: they belong to the caller. */
void waitset_free(struct waitset *ws);
/* The descriptor that becomes readable when waitset_next() would return something. */
int waitset_fd(const struct waitset *ws);
/*
 * A pipe, socket or terminal; Linux refuses regular files and /dev/null, which are always readable.
 * Reported for as long as it can be read.  Watching it again gives it another tag.
 */
int waitset_watch_fd(struct waitset *ws, int fd, uintptr_t tag, struct error *err);
/*
 * What of a watched descriptor is waited for: at first, that it can be read.  That it can be
 * written is told as WAKE_READABLE too: who waits for both tries both.
 */
void waitset_want(struct waitset *ws, int fd, uintptr_t tag, bool reading, bool writing);
/* Call before closing the descriptor. Fine for one that is not watched. */
void waitset_forget_fd(struct waitset *ws, int fd);
/* A child of this process, not yet reaped. Reported once, then forgotten by itself. */
int waitset_watch_child(struct waitset *ws, pid_t pid, uintptr_t tag, struct error *err);
/* At which clock_ms() to wake, never before it; replaces the one before; negative: none. */
int waitset_set_deadline(struct waitset *ws, int64_t at_ms, struct error *err);
/*
 * Takes one thing that has happened, waiting at most timeout_ms for it (0: not at all, negative:
 * for ever).  Returns 1 with *wake filled, 0 when nothing came in time, -1 on failure.  An
 * interrupted wait goes on.  What is ready takes turns: nothing starves.
 */
int waitset_next(struct waitset *ws, int timeout_ms, struct wake *wake, struct error *err);

#endif
