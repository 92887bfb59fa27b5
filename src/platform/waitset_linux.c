/* The wait set of Linux: epoll, a timerfd for the deadline, a pidfd for each child. */
#define _GNU_SOURCE
#include "platform/waitset.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/spawn.h"

/* In kernels since 5.3, in C libraries much later. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

struct watch {
	LIST_ENTRY(watch) link;
	enum wake_kind kind;
	int fd;	   /* WAKE_READABLE: the caller's; else ours */
	pid_t pid; /* WAKE_CHILD */
	uintptr_t tag;
};

struct waitset {
	int epoll;
	struct watch deadline; /* not in the list */
	LIST_HEAD(watch_list, watch) watches;
	struct watch **by_fd; /* the caller's descriptors by number: no search among thousands */
	size_t fds;
	struct process_list left;
};

static int add_to_epoll(const struct waitset *ws, struct watch *w)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = w };

	if (w->kind == WAKE_CHILD)
		event.events |= EPOLLONESHOT;
	return epoll_ctl(ws->epoll, EPOLL_CTL_ADD, w->fd, &event);
}

/* Returns the place of a caller's descriptor in the table, which grows for it. */
static struct watch **slot_of(struct waitset *ws, int fd)
{
	size_t n = (size_t)fd + 1;

	if (n > ws->fds) {
		n = n < 2 * ws->fds ? 2 * ws->fds : n;
		ws->by_fd = mem_resize(ws->by_fd, n, sizeof(*ws->by_fd));
		memset(ws->by_fd + ws->fds, 0, (n - ws->fds) * sizeof(*ws->by_fd));
		ws->fds = n;
	}
	return &ws->by_fd[fd];
}

static struct watch *add_watch(struct waitset *ws, enum wake_kind kind, int fd, uintptr_t tag)
{
	struct watch *w = mem_zero(sizeof(*w));

	w->kind = kind;
	w->fd = fd;
	w->tag = tag;
	LIST_INSERT_HEAD(&ws->watches, w, link);
	if (kind == WAKE_READABLE)
		*slot_of(ws, fd) = w;
	return w;
}

/* Frees a watch of which nothing more comes. */
static void free_watch(struct waitset *ws, struct watch *w)
{
	if (w->kind == WAKE_CHILD)
		(void)close(w->fd);
	else
		*slot_of(ws, w->fd) = NULL;
	LIST_REMOVE(w, link);
	free(w);
}

static void remove_watch(struct waitset *ws, struct watch *w)
{
	/* Closing alone does not do it where a forked process still has the descriptor. */
	(void)epoll_ctl(ws->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	free_watch(ws, w);
}

static struct watch *find_fd(const struct waitset *ws, int fd)
{
	return fd >= 0 && (size_t)fd < ws->fds ? ws->by_fd[fd] : NULL;
}

int waitset_new(struct waitset **out, struct error *err)
{
	struct waitset *ws = mem_zero(sizeof(*ws));

	LIST_INIT(&ws->watches);
	ws->deadline.kind = WAKE_DEADLINE;
	ws->deadline.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	ws->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (ws->deadline.fd < 0 || ws->epoll < 0 || add_to_epoll(ws, &ws->deadline) < 0) {
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
	while (!LIST_EMPTY(&ws->watches))
		remove_watch(ws, LIST_FIRST(&ws->watches));
	process_list_reap(&ws->left);
	if (ws->epoll >= 0)
		(void)close(ws->epoll);
	if (ws->deadline.fd >= 0)
		(void)close(ws->deadline.fd);
	free(ws->by_fd);
	free(ws);
}

int waitset_fd(const struct waitset *ws)
{
	return ws->epoll;
}

int waitset_watch_fd(struct waitset *ws, int fd, uintptr_t tag, struct error *err)
{
	struct watch *w = find_fd(ws, fd);

	if (w == NULL)
		w = add_watch(ws, WAKE_READABLE, fd, tag);
	w->tag = tag;
	if (add_to_epoll(ws, w) == 0 || errno == EEXIST)
		return 0;
	(void)error_set(err, STATUS_OS, "cannot watch descriptor %d: %s", fd, strerror(errno));
	remove_watch(ws, w);
	return -1;
}

void waitset_want(struct waitset *ws, int fd, uintptr_t tag, bool reading, bool writing)
{
	struct watch *w = find_fd(ws, fd);
	struct epoll_event event = { .events = (reading ? EPOLLIN : 0U) | (writing ? EPOLLOUT : 0U),
		.data.ptr = w };

	if (w == NULL)
		return;
	w->tag = tag;
	/* Fails for a descriptor that is not watched, which this one is. */
	(void)epoll_ctl(ws->epoll, EPOLL_CTL_MOD, fd, &event);
}

void waitset_forget_fd(struct waitset *ws, int fd)
{
	struct watch *w = find_fd(ws, fd);

	if (w != NULL)
		remove_watch(ws, w);
}

int waitset_watch_child(struct waitset *ws, pid_t pid, uintptr_t tag, struct error *err)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct watch *w;

	if (fd < 0 && errno == ENOSYS)
		return error_set(err, STATUS_OS,
		    "cannot watch process %ld: pidfd_open is missing, Linux 5.3 or newer is needed",
		    (long)pid);
	if (fd < 0)
		return error_set(
		    err, STATUS_OS, "cannot watch process %ld: %s", (long)pid, strerror(errno));
	w = add_watch(ws, WAKE_CHILD, fd, tag);
	w->pid = pid;
	if (add_to_epoll(ws, w) == 0)
		return 0;
	(void)error_set(err, STATUS_OS, "cannot watch process %ld: %s", (long)pid, strerror(errno));
	remove_watch(ws, w);
	return -1;
}

void waitset_leave_child(struct waitset *ws, pid_t pid)
{
	process_list_add(&ws->left, pid);
}

int waitset_set_deadline(struct waitset *ws, int64_t at_ms, struct error *err)
{
	struct itimerspec at = { 0 };

	if (at_ms >= 0) {
		at.it_value.tv_sec = (time_t)(at_ms / 1000);
		at.it_value.tv_nsec = (long)(at_ms % 1000) * 1000000;
	}
	/* All zero would disarm it. */
	if (at_ms == 0)
		at.it_value.tv_nsec = 1;
	if (timerfd_settime(ws->deadline.fd, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		return error_set(err, STATUS_OS, "cannot set a deadline: %s", strerror(errno));
	return 0;
}

/* Fills *wake; returns false for a deadline that has been moved meanwhile. */
static bool take(struct waitset *ws, struct watch *w, struct wake *wake)
{
	uint64_t times;

	if (w->kind == WAKE_DEADLINE && read(w->fd, &times, sizeof(times)) < 0)
		return false;
	wake->kind = w->kind;
	wake->tag = w->tag;
	if (w->kind == WAKE_CHILD) {
		process_list_remove(&ws->left, w->pid);
		free_watch(ws, w); /* the end is told once */
	}
	return true;
}

int waitset_next(struct waitset *ws, int timeout_ms, struct wake *wake, struct error *err)
{
	const int64_t until = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	struct epoll_event event;

	for (;;) {
		/* One at a time: a second one could be stale once the first is dealt with. */
		int n = epoll_wait(ws->epoll, &event, 1, clock_left_ms(until));

		if (n == 0)
			return 0;
		if (n > 0 && take(ws, event.data.ptr, wake))
			return 1;
		if (n < 0 && errno != EINTR)
			return error_set(
			    err, STATUS_OS, "cannot wait for events: %s", strerror(errno));
	}
}
