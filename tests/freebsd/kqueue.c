/*
 * A stand-in for kqueue(2) on Linux, so that src/platform/waitset_freebsd.c runs there.  An epoll
 * is the descriptor and the sleep; the queue itself, and all decisions, are those of FreeBSD's
 * sys/kern/kern_event.c, whose functions the comments name.  What it lacks ends the program.
 */
#include "kqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kernel.h"

static LIST_HEAD(, kqueue) kqueues = LIST_HEAD_INITIALIZER(kqueues);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): set by the linker */
int __real_close(int fd);
int __wrap_close(int fd);
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

int freebsd_close(int fd)
{
	return __real_close(fd);
}

struct kqueue *kqueue_find(int fd)
{
	const pid_t self = getpid();
	struct kqueue *kq;

	LIST_FOREACH(kq, &kqueues, link)
	{
		if (kq->fd == fd && kq->owner == self)
			return kq;
	}
	return NULL;
}

static void knote_enqueue(struct knote *kn)
{
	if (kn->is_queued)
		return;
	TAILQ_INSERT_TAIL(&kn->kq->queue, kn, tqe);
	kn->kq->count++;
	kn->is_queued = true;
}

void knote_dequeue(struct knote *kn)
{
	if (!kn->is_queued)
		return;
	TAILQ_REMOVE(&kn->kq->queue, kn, tqe);
	kn->kq->count--;
	kn->is_queued = false;
}

static void knote_drop(struct knote *kn)
{
	knote_dequeue(kn);
	LIST_REMOVE(kn, link);
	knote_free(kn);
}

static void drop_kqueue(struct kqueue *kq)
{
	while (!LIST_EMPTY(&kq->knotes))
		knote_drop(LIST_FIRST(&kq->knotes));
	(void)__real_close(kq->mark);
	LIST_REMOVE(kq, link);
	free(kq);
}

/* ---- fork and close ----------------------------------------------------------------------------
 */

static void before_fork(void)
{
	(void)pthread_mutex_lock(&lock);
}

static void in_parent(void)
{
	(void)pthread_mutex_unlock(&lock);
}

/* "The queue is not inherited by a child created with fork(2)": kqueue(2). */
static void in_child(void)
{
	while (!LIST_EMPTY(&kqueues)) {
		struct kqueue *kq = LIST_FIRST(&kqueues);
		int fd = kq->fd;

		/* The epoll is the parent's too, which a removal would change. */
		(void)__real_close(fd);
		kq->fd = -1;
		drop_kqueue(kq);
	}
	(void)pthread_mutex_unlock(&lock);
}

static void begin(void)
{
	(void)pthread_atfork(before_fork, in_parent, in_child);
}

/* knote_fdclose(): "close() on a file descriptor will remove any kevents that reference it". */
static void forget_fd(int fd)
{
	const pid_t self = getpid();
	struct kqueue *kq;
	struct knote *kn, *next;

	LIST_FOREACH(kq, &kqueues, link)
	{
		for (kn = LIST_FIRST(&kq->knotes); kn != NULL && kq->owner == self; kn = next) {
			next = LIST_NEXT(kn, link);
			if (kn->fop->isfd && kn->kevent.ident == (uintptr_t)fd)
				knote_drop(kn);
		}
	}
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): set by the linker */
int __wrap_close(int fd)
{
	struct kqueue *kq;

	(void)pthread_mutex_lock(&lock);
	forget_fd(fd);
	kq = kqueue_find(fd);
	if (kq != NULL)
		drop_kqueue(kq);
	(void)pthread_mutex_unlock(&lock);
	return __real_close(fd);
}

/* ---- kqueue() ----------------------------------------------------------------------------------
 */

int kqueue(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct epoll_event event = { .events = EPOLLIN };
	struct kqueue *kq;

	(void)pthread_once(&once, begin);
	if (freebsd.kqueue_error != 0) {
		errno = freebsd.kqueue_error;
		return -1;
	}
	kq = calloc(1, sizeof(*kq));
	if (kq == NULL)
		return -1;
	kq->owner = getpid();
	kq->fd = epoll_create1(0);
	kq->mark = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	LIST_INIT(&kq->knotes);
	TAILQ_INIT(&kq->queue);
	if (kq->fd < 0 || kq->mark < 0 || epoll_ctl(kq->fd, EPOLL_CTL_ADD, kq->mark, &event) < 0)
		freebsd_lacks("a host without descriptors");
	(void)pthread_mutex_lock(&lock);
	LIST_INSERT_HEAD(&kqueues, kq, link);
	(void)pthread_mutex_unlock(&lock);
	return kq->fd;
}

/* ---- changes -----------------------------------------------------------------------------------
 */

static struct knote *find_knote(struct kqueue *kq, const struct kevent *kev)
{
	struct knote *kn;

	LIST_FOREACH(kn, &kq->knotes, link)
	{
		if (kn->kevent.ident == kev->ident && kn->kevent.filter == kev->filter)
			return kn;
	}
	return NULL;
}

static int add_knote(struct kqueue *kq, const struct filterops *fop, const struct kevent *kev)
{
	struct knote *kn = calloc(1, sizeof(*kn));
	int error;

	if (kn == NULL)
		return ENOMEM;
	kn->kq = kq;
	kn->fop = fop;
	kn->source = -1;
	kn->sfflags = kev->fflags;
	kn->sdata = kev->data;
	kn->kevent = *kev;
	kn->kevent.fflags = 0;
	kn->kevent.data = 0;
	kn->kevent.flags &= (unsigned short)~(EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE);
	kn->is_disabled = (kev->flags & EV_DISABLE) != 0;
	LIST_INSERT_HEAD(&kq->knotes, kn, link);
	error = fop->attach(kn);
	if (error != 0) {
		knote_drop(kn);
		return error;
	}
	if (!kn->is_disabled && fop->event(kn))
		knote_enqueue(kn);
	return 0;
}

/*
 * The second half of kqueue_register(): the flags of a knote stay those that it was added with, and
 * EV_ADD alone does not enable it.
 */
static int change_knote(struct knote *kn, const struct kevent *kev)
{
	if ((kev->flags & EV_ENABLE) != 0)
		kn->is_disabled = false;
	else if ((kev->flags & EV_DISABLE) != 0)
		kn->is_disabled = true;
	kn->kevent.udata = kev->udata;
	if (kn->fop->touch != NULL) {
		kn->fop->touch(kn, kev);
	} else {
		kn->sfflags = kev->fflags;
		kn->sdata = kev->data;
	}
	if (kn->fop->isfd)
		(void)filter_watch_fd(kn->kq, (int)kn->kevent.ident);
	/* A knote that is queued and disabled stays queued until the next scan. */
	if (!kn->is_disabled && kn->fop->event(kn))
		knote_enqueue(kn);
	return 0;
}

/* kqueue_register(); returns an errno. */
static int register_change(struct kqueue *kq, const struct kevent *kev)
{
	const struct filterops *fop = filter_find(kev->filter);
	const unsigned known = EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE | EV_ONESHOT | EV_CLEAR |
	    EV_RECEIPT | EV_DISPATCH;
	struct knote *kn;

	if ((kev->flags & (EV_ENABLE | EV_DISABLE)) == (EV_ENABLE | EV_DISABLE))
		return EINVAL;
	if (kev->filter >= 0)
		return EINVAL;
	if (fop == NULL || (kev->flags & ~known) != 0)
		freebsd_lacks("a filter or a flag");
	if (fop->isfd) {
		if (kev->ident > INT_MAX || fcntl((int)kev->ident, F_GETFD) < 0)
			return EBADF;
		if ((int)kev->ident == kq->fd)
			return EINVAL;
	}
	kn = find_knote(kq, kev);
	if (kn == NULL)
		return (kev->flags & EV_ADD) != 0 ? add_knote(kq, fop, kev) : ENOENT;
	if ((kev->flags & EV_DELETE) != 0) {
		knote_drop(kn);
		return 0;
	}
	return change_knote(kn, kev);
}

/*
 * kqueue_kevent(): a change that fails is an event with EV_ERROR where there is room, which also
 * EV_RECEIPT asks for; otherwise it fails the call, and later changes are not made.
 */
static int register_all(struct kqueue *kq, const struct kevent *changes, int change_count,
    struct kevent *events, int *room)
{
	int told = 0;

	for (int i = 0; i < change_count; i++) {
		struct kevent kev = changes[i];
		int error = register_change(kq, &kev);

		if (error == 0 && (kev.flags & EV_RECEIPT) == 0)
			continue;
		if (*room == 0) {
			errno = error;
			return error == 0 ? told : -1;
		}
		kev.flags = EV_ERROR;
		kev.data = error;
		events[told++] = kev;
		(*room)--;
	}
	return told;
}

/* ---- events ------------------------------------------------------------------------------------
 */

/* Queues the knotes whose events have happened, as knote() does at the moment that they happen. */
static void collect(struct kqueue *kq)
{
	struct knote *kn;

	LIST_FOREACH(kn, &kq->knotes, link)
	{
		if (!kn->is_queued && !kn->is_disabled && kn->fop->event(kn))
			knote_enqueue(kn);
	}
}

/* Fills *event from the first knote of the queue; returns false if it has nothing to tell. */
static bool take_knote(struct kqueue *kq, struct kevent *event)
{
	struct knote *kn = TAILQ_FIRST(&kq->queue);

	knote_dequeue(kn);
	if (kn->is_disabled)
		return false;
	if ((kn->kevent.flags & EV_ONESHOT) != 0) {
		*event = kn->kevent;
		knote_drop(kn);
		return true;
	}
	if (!kn->fop->event(kn))
		return false;
	*event = kn->kevent;
	if ((kn->kevent.flags & EV_CLEAR) != 0) {
		kn->kevent.data = 0;
		kn->kevent.fflags = 0;
	}
	if ((kn->kevent.flags & EV_DISPATCH) != 0) {
		kn->is_disabled = true;
		if (kn->fop->isfd)
			(void)filter_watch_fd(kq, (int)kn->kevent.ident);
	}
	/* At the end, so that the others have their turn. */
	if ((kn->kevent.flags & (EV_CLEAR | EV_DISPATCH)) == 0)
		knote_enqueue(kn);
	return true;
}

/* The loop of kqueue_scan() up to its marker. */
static int take_all(struct kqueue *kq, struct kevent *events, int room)
{
	int left = 0, taken = 0;
	const struct knote *kn;

	TAILQ_FOREACH(kn, &kq->queue, tqe)
	left++;
	for (; left > 0 && taken < room; left--)
		taken += take_knote(kq, &events[taken]) ? 1 : 0;
	return taken;
}

/*
 * kqueue_poll(), filt_kqueue(): a queue is readable while a knote is queued.  One that has been
 * reported stays queued until a scan finds that there is nothing to report any more, so that a poll
 * may promise an event that does not come.
 */
static void set_mark(const struct kqueue *kq)
{
	const int error = errno;
	uint64_t number = 1;

	if (kq->count > 0)
		(void)!write(kq->mark, &number, sizeof(number));
	else
		(void)!read(kq->mark, &number, sizeof(number));
	errno = error;
}

/* Returns the milliseconds of a timeout that are left, rounded up; -1: no timeout. */
static int left_ms(const struct timespec *timeout, const struct timespec *began)
{
	struct timespec now;
	int64_t left;

	if (timeout == NULL)
		return -1;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	left = (timeout->tv_sec - now.tv_sec + began->tv_sec) * 1000000000 + timeout->tv_nsec -
	    now.tv_nsec + began->tv_nsec;
	left = left <= 0 ? 0 : (left + 999999) / 1000000;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/* kqueue_scan() */
static int scan(int fd, struct kevent *events, int room, const struct timespec *timeout)
{
	struct timespec began;
	struct epoll_event event;
	struct kqueue *kq;
	int taken, n, left;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	for (;;) {
		(void)pthread_mutex_lock(&lock);
		kq = kqueue_find(fd);
		if (kq == NULL)
			freebsd_lacks("a close of a queue that another thread waits for");
		collect(kq);
		taken = take_all(kq, events, room);
		set_mark(kq);
		(void)pthread_mutex_unlock(&lock);
		left = left_ms(timeout, &began);
		if (taken > 0)
			return taken;
		/* "don't restart after signals": EINTR */
		n = epoll_wait(fd, &event, 1, left);
		if (n < 0 || (n == 0 && left == 0))
			return n;
	}
}

int kevent(int fd, const struct kevent *changes, int change_count, struct kevent *events,
    int event_count, const struct timespec *timeout)
{
	struct kqueue *kq;
	int told;

	if (freebsd.kevent_error != 0) {
		errno = freebsd.kevent_error;
		return -1;
	}
	(void)pthread_mutex_lock(&lock);
	kq = kqueue_find(fd);
	if (kq == NULL) {
		(void)pthread_mutex_unlock(&lock);
		errno = fcntl(fd, F_GETFD) < 0 ? EBADF : EINVAL;
		return -1;
	}
	told = register_all(kq, changes, change_count, events, &event_count);
	set_mark(kq);
	(void)pthread_mutex_unlock(&lock);
	/* "When nevents is zero, kevent() will return immediately": kqueue(2). */
	if (told != 0 || event_count == 0)
		return told;
	if (timeout != NULL &&
	    (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)) {
		errno = EINVAL;
		return -1;
	}
	return scan(fd, events, event_count, timeout);
}
