/*
 * The filters of the stand-in for kqueue(2).  Facts are from FreeBSD's kqueue(2) and from the
 * functions of sys/kern/kern_event.c that the comments name.
 */
#include "kqueue.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#undef syscall
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

#define PRECISION (NOTE_SECONDS | NOTE_MSECONDS | NOTE_USECONDS | NOTE_NSECONDS)

void freebsd_lacks(const char *what)
{
	(void)fprintf(stderr, "tests/freebsd does not model this: %s\n", what);
	abort();
}

/* Not in kqueue.c, where clang-tidy does not follow a list and reports a use after this. */
void knote_free(struct knote *kn)
{
	kn->fop->detach(kn);
	free(kn);
}

/* Adds the source of a knote, which only this queue has, to its epoll. */
static int watch_source(struct knote *kn)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(kn->kq->fd, EPOLL_CTL_ADD, kn->source, &event) == 0 ? 0 : errno;
}

static void close_source(struct knote *kn)
{
	if (kn->source >= 0)
		(void)freebsd_close(kn->source);
	kn->source = -1;
}

/* ---- EVFILT_READ, EVFILT_WRITE ----------------------------------------------------------------
 */

int filter_watch_fd(struct kqueue *kq, int fd)
{
	struct epoll_event event = { .events = 0 };
	const struct knote *kn;

	LIST_FOREACH(kn, &kq->knotes, link)
	{
		if (kn->fop->isfd && kn->kevent.ident == (uintptr_t)fd && !kn->is_disabled)
			event.events |=
			    kn->kevent.filter == EVFILT_READ ? EPOLLIN | EPOLLRDHUP : EPOLLOUT;
	}
	/* An epoll tells of the other end's close although no event is asked for; a kqueue does
	 * not. */
	if (event.events == 0) {
		(void)epoll_ctl(kq->fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (epoll_ctl(kq->fd, EPOLL_CTL_MOD, fd, &event) == 0 ||
	    (errno == ENOENT && epoll_ctl(kq->fd, EPOLL_CTL_ADD, fd, &event) == 0))
		return 0;
	return errno;
}

/* filt_fileattach(); kqueue_kqfilter() for a queue as the descriptor. */
static int attach_fd(struct knote *kn)
{
	if (kn->kevent.filter != EVFILT_READ && kqueue_find((int)kn->kevent.ident) != NULL)
		return EINVAL;
	/* Events that tell of a change only would need more than poll(2). */
	if ((kn->kevent.flags & EV_CLEAR) != 0)
		freebsd_lacks("EV_CLEAR of a descriptor");
	if (kn->sfflags != 0)
		freebsd_lacks("fflags of a descriptor");
	return filter_watch_fd(kn->kq, (int)kn->kevent.ident);
}

static void detach_fd(struct knote *kn)
{
	(void)filter_watch_fd(kn->kq, (int)kn->kevent.ident);
}

/*
 * filt_piperead(), filt_soread() and the like: data, or the end of data with EV_EOF.  The data of
 * EVFILT_READ is the number of bytes; that of EVFILT_WRITE, the space, is not modelled.
 */
static bool fd_event(struct knote *kn)
{
	const bool reads = kn->kevent.filter == EVFILT_READ;
	struct pollfd pfd = { .fd = (int)kn->kevent.ident,
		.events = reads ? POLLIN | POLLRDHUP : POLLOUT };
	int bytes = 0;

	if (poll(&pfd, 1, 0) <= 0)
		return false;
	kn->kevent.flags &= (unsigned short)~EV_EOF;
	if ((pfd.revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0)
		kn->kevent.flags |= EV_EOF;
	if (reads && ioctl(pfd.fd, FIONREAD, &bytes) == 0)
		kn->kevent.data = bytes;
	return true;
}

/* ---- EVFILT_PROC ------------------------------------------------------------------------------
 */

/*
 * filt_procattach(): pfind_any() finds a zombie too, which is reported at once, and any process
 * that this one can see, whether or not it is a child.  In FreeBSD 11 and older, pfind() followed
 * by zpfind() could miss a process between running and zombie; the tests ask for that.
 */
static int attach_process(struct knote *kn)
{
	siginfo_t info = { .si_pid = 0 };
	const pid_t pid = (pid_t)kn->kevent.ident;

	if (kn->sfflags != NOTE_EXIT)
		freebsd_lacks("EVFILT_PROC with other fflags than NOTE_EXIT");
	if (freebsd.misses_ended &&
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid)
		return ESRCH;
	kn->source = (int)syscall(SYS_pidfd_open, pid, 0);
	if (kn->source < 0)
		return errno == EINVAL ? ESRCH : errno;
	kn->kevent.flags |= EV_CLEAR;
	return watch_source(kn);
}

/* Returns a status as wait(2) stores it. */
static int64_t wait_status(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED ? (info->si_status & 0xff) << 8 : info->si_status & 0x7f;
}

/* filt_proc(): the end is recorded in the knote, which outlives the process, and never again. */
static bool process_event(struct knote *kn)
{
	struct pollfd pfd = { .fd = kn->source, .events = POLLIN };
	siginfo_t info = { .si_pid = 0 };

	if (kn->source < 0 || poll(&pfd, 1, 0) <= 0)
		return kn->kevent.fflags != 0;
	kn->kevent.flags |= EV_EOF | EV_ONESHOT;
	kn->kevent.fflags |= NOTE_EXIT;
	if (waitid(P_PID, (id_t)kn->kevent.ident, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		kn->kevent.data = wait_status(&info);
	close_source(kn);
	return true;
}

/* ---- EVFILT_TIMER -----------------------------------------------------------------------------
 */

/* timer2sbintime(): milliseconds without a unit, EINVAL for two units. */
static int timer_period(const struct knote *kn, struct timespec *out)
{
	static const struct {
		unsigned unit;
		int64_t per_second;
	} units[] = { { 0, 1000 }, { NOTE_SECONDS, 1 }, { NOTE_MSECONDS, 1000 },
		{ NOTE_USECONDS, 1000000 }, { NOTE_NSECONDS, 1000000000 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		const int64_t per_second = units[i].per_second;

		if ((kn->sfflags & PRECISION) != units[i].unit)
			continue;
		out->tv_sec = (time_t)(kn->sdata / per_second);
		out->tv_nsec = (long)(kn->sdata % per_second * (1000000000 / per_second));
		return 0;
	}
	return EINVAL;
}

/* filt_timervalidate() and filt_timerstart(). */
static int start_timer(struct knote *kn)
{
	struct itimerspec at = { 0 };
	int error;

	if (kn->sdata < 0 || (kn->sfflags & ~(PRECISION | NOTE_ABSTIME)) != 0)
		return EINVAL;
	if ((kn->sfflags & NOTE_ABSTIME) != 0)
		freebsd_lacks("NOTE_ABSTIME"); /* by the wall clock */
	if (kn->sdata == 0 && (kn->kevent.flags & EV_ONESHOT) == 0)
		kn->sdata = 1;
	error = timer_period(kn, &at.it_value);
	if (error != 0)
		return error;
	/* The sum with the uptime has 31 bits for seconds; one that overflows is in the past. */
	if (at.it_value.tv_sec > INT32_MAX - 86400)
		at.it_value = (struct timespec){ 0, 0 };
	if ((kn->kevent.flags & EV_ONESHOT) == 0)
		at.it_interval = at.it_value;
	/* All zero would disarm a timerfd; a one-shot timer of 0 fires at once. */
	if (at.it_value.tv_sec == 0 && at.it_value.tv_nsec == 0)
		at.it_value.tv_nsec = 1;
	return timerfd_settime(kn->source, 0, &at, NULL) == 0 ? 0 : errno;
}

static int attach_timer(struct knote *kn)
{
	int error;

	kn->source = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (kn->source < 0)
		return errno;
	kn->kevent.flags |= EV_CLEAR;
	error = start_timer(kn);
	return error != 0 ? error : watch_source(kn);
}

/* filt_timerexpire() counts. */
static bool timer_event(struct knote *kn)
{
	uint64_t times;

	if (read(kn->source, &times, sizeof(times)) == (ssize_t)sizeof(times))
		kn->kevent.data += (int64_t)times;
	return kn->kevent.data != 0;
}

/*
 * filt_timertouch(), since FreeBSD 12: adding a timer again throws away what it has told, and
 * starts it anew.  A time that is not good is told as an event.
 */
static void touch_timer(struct knote *kn, const struct kevent *kev)
{
	int error;

	if ((kev->flags & EV_ADD) == 0)
		return;
	knote_dequeue(kn);
	kn->kevent.data = 0;
	kn->sfflags = kev->fflags;
	kn->sdata = kev->data;
	error = start_timer(kn);
	if (error == 0)
		return;
	kn->kevent.flags |= EV_ERROR;
	kn->kevent.data = error;
}

/* ---- EVFILT_USER ------------------------------------------------------------------------------
 */

/* filt_userattach(): NOTE_TRIGGER at once has no effect, as the fflags are taken away before. */
static int attach_user(struct knote *kn)
{
	if ((kn->kevent.flags & EV_CLEAR) != 0)
		freebsd_lacks("EV_CLEAR of EVFILT_USER");
	return 0;
}

static bool user_event(struct knote *kn)
{
	return kn->hookid;
}

/* filt_usertouch() */
static void touch_user(struct knote *kn, const struct kevent *kev)
{
	if ((kev->fflags & ~NOTE_TRIGGER) != 0)
		freebsd_lacks("fflags of EVFILT_USER");
	if ((kev->fflags & NOTE_TRIGGER) != 0)
		kn->hookid = true;
	kn->sdata = kev->data;
}

static void detach_user(struct knote *kn)
{
	kn->hookid = false;
}

const struct filterops *filter_find(short filter)
{
	static const struct filterops fds = { true, attach_fd, detach_fd, fd_event, NULL };
	static const struct filterops processes = { false, attach_process, close_source,
		process_event, NULL };
	static const struct filterops timers = { false, attach_timer, close_source, timer_event,
		touch_timer };
	static const struct filterops users = { false, attach_user, detach_user, user_event,
		touch_user };

	switch (filter) {
	case EVFILT_READ:
	case EVFILT_WRITE:
		return &fds;
	case EVFILT_PROC:
		return &processes;
	case EVFILT_TIMER:
		return &timers;
	case EVFILT_USER:
		return &users;
	default:
		return NULL;
	}
}
