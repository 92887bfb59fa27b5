/* The wait set of FreeBSD: one kqueue, and nothing beside it. */
#include "platform/waitset.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/spawn.h"

struct waitset {
	int kqueue;
	bool armed; /* a deadline is set */
	struct process_list left;
};

enum { DEADLINE = 1 };

/* Ten years: longer than any deadline, and too short for the kernel's sums to overflow. */
#define MAX_DEADLINE_MS ((int64_t)10 * 365 * 24 * 3600 * 1000)

static int change(const struct waitset *ws, uintptr_t ident, short filter, unsigned short flags,
    unsigned int fflags, int64_t data, uintptr_t tag)
{
	struct kevent event;

	/* NOLINTNEXTLINE(performance-no-int-to-ptr): udata is opaque to the kernel */
	EV_SET(&event, ident, filter, flags, fflags, data, (void *)tag);
	return kevent(ws->kqueue, &event, 1, NULL, 0, NULL);
}

int waitset_new(struct waitset **out, struct error *err)
{
	struct waitset *ws = mem_zero(sizeof(*ws));

	ws->kqueue = kqueue();
	if (ws->kqueue < 0 || fcntl(ws->kqueue, F_SETFD, FD_CLOEXEC) < 0) {
		(void)error_set(err, STATUS_OS, "cannot wait for events: %s", strerror(errno));
		waitset_free(ws);
		return -1;
	}
	*out = ws;
	return 0;
}

void waitset_free(struct waitset *ws)
{
	if (ws == NULL)
		return;
	process_list_reap(&ws->left);
	if (ws->kqueue >= 0)
		(void)close(ws->kqueue);
	free(ws);
}

int waitset_fd(const struct waitset *ws)
{
	return ws->kqueue;
}

int waitset_watch_fd(struct waitset *ws, int fd, uintptr_t tag, struct error *err)
{
	if (change(ws, (uintptr_t)fd, EVFILT_READ, EV_ADD, 0, 0, tag) < 0)
		return error_set(
		    err, STATUS_OS, "cannot watch descriptor %d: %s", fd, strerror(errno));
	return 0;
}

void waitset_want(struct waitset *ws, int fd, uintptr_t tag, bool reading, bool writing)
{
	/* Without EV_ADD, which would begin to watch a descriptor that is not watched. */
	if (change(ws, (uintptr_t)fd, EVFILT_READ, reading ? EV_ENABLE : EV_DISABLE, 0, 0, tag) < 0)
		return;
	(void)change(ws, (uintptr_t)fd, EVFILT_WRITE, EV_ADD | (writing ? EV_ENABLE : EV_DISABLE),
	    0, 0, tag);
}

void waitset_forget_fd(struct waitset *ws, int fd)
{
	(void)change(ws, (uintptr_t)fd, EVFILT_WRITE, EV_DELETE, 0, 0, 0);
	(void)change(ws, (uintptr_t)fd, EVFILT_READ, EV_DELETE, 0, 0, 0);
}

/* Reports a child that kqueue no longer finds by an immediate event of vmrun's own. */
static int report_ended(const struct waitset *ws, pid_t pid, uintptr_t tag)
{
	siginfo_t info;

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -1;
	if (change(ws, (uintptr_t)pid, EVFILT_USER, EV_ADD | EV_ONESHOT, 0, 0, tag) < 0)
		return -1;
	return change(ws, (uintptr_t)pid, EVFILT_USER, 0, NOTE_TRIGGER, 0, tag);
}

int waitset_watch_child(struct waitset *ws, pid_t pid, uintptr_t tag, struct error *err)
{
	/* A zombie is found and reported at once; between running and zombie it may not be. */
	if (change(ws, (uintptr_t)pid, EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, tag) == 0)
		return 0;
	if (errno == ESRCH && report_ended(ws, pid, tag) == 0)
		return 0;
	return error_set(
	    err, STATUS_OS, "cannot watch process %ld: %s", (long)pid, strerror(errno));
}

void waitset_leave_child(struct waitset *ws, pid_t pid)
{
	process_list_add(&ws->left, pid);
}

int waitset_set_deadline(struct waitset *ws, int64_t at_ms, struct error *err)
{
	int64_t left_ms;

	/* Deletes first: adding again would not take back a deadline that has passed already. */
	if (ws->armed)
		(void)change(ws, DEADLINE, EVFILT_TIMER, EV_DELETE, 0, 0, 0);
	ws->armed = false;
	if (at_ms < 0)
		return 0;
	/* NOTE_ABSTIME means the wall clock; a relative time is measured by the monotonic one. */
	left_ms = at_ms - clock_ms();
	if (left_ms < 0)
		left_ms = 0;
	if (left_ms > MAX_DEADLINE_MS)
		left_ms = MAX_DEADLINE_MS;
	if (change(ws, DEADLINE, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_MSECONDS, left_ms, 0) < 0)
		return error_set(err, STATUS_OS, "cannot set a deadline: %s", strerror(errno));
	ws->armed = true;
	return 0;
}

static void take(struct waitset *ws, const struct kevent *event, struct wake *wake)
{
	wake->tag = (uintptr_t)event->udata;
	switch (event->filter) {
	case EVFILT_TIMER:
		wake->kind = WAKE_DEADLINE;
		ws->armed = false;
		break;
	case EVFILT_READ:
	case EVFILT_WRITE:
		wake->kind = WAKE_READABLE;
		break;
	default: /* EVFILT_PROC, EVFILT_USER */
		wake->kind = WAKE_CHILD;
		process_list_remove(&ws->left, (pid_t)event->ident);
		break;
	}
}

int waitset_next(struct waitset *ws, int timeout_ms, struct wake *wake, struct error *err)
{
	const int64_t until = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	struct kevent event;

	for (;;) {
		int left_ms = clock_left_ms(until);
		struct timespec left = { left_ms / 1000, (long)(left_ms % 1000) * 1000000 };
		/* One at a time: a second one could be stale once the first is dealt with. */
		int n = kevent(ws->kqueue, NULL, 0, &event, 1, left_ms < 0 ? NULL : &left);

		if (n == 0)
			return 0;
		if (n > 0) {
			take(ws, &event, wake);
			return 1;
		}
		if (errno != EINTR)
			return error_set(
			    err, STATUS_OS, "cannot wait for events: %s", strerror(errno));
	}
}
