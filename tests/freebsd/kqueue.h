/* The parts of the stand-in for kqueue(2): queues of knotes, and the filters that decide. */
#ifndef TEST_FREEBSD_KQUEUE_H
#define TEST_FREEBSD_KQUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/queue.h>
#include <sys/types.h>

struct kqueue;

/* One (ident, filter) pair of a queue.  The names of members are those of FreeBSD's struct knote.
 */
struct knote {
	LIST_ENTRY(knote) link; /* all knotes of the queue */
	TAILQ_ENTRY(knote) tqe; /* those that are queued */
	struct kqueue *kq;
	const struct filterops *fop;
	struct kevent kevent; /* what is reported */
	unsigned sfflags;     /* as given */
	int64_t sdata;	      /* as given */
	bool is_queued;
	bool is_disabled;
	bool hookid; /* EVFILT_USER: triggered */
	int source;  /* EVFILT_PROC: a pidfd; EVFILT_TIMER: a timerfd; else -1 */
};

LIST_HEAD(knotes, knote);
TAILQ_HEAD(knote_queue, knote);

struct kqueue {
	LIST_ENTRY(kqueue) link;
	pid_t owner; /* a child of vfork(2) shares this memory, and none of the queues */
	int fd;	     /* epoll, with all that may become ready */
	int mark;    /* eventfd in the epoll: readable while a knote is queued */
	struct knotes knotes;
	struct knote_queue queue;
	int count; /* in the queue */
};

struct filterops {
	bool isfd; /* the ident is a descriptor */
	/* Returns 0 or an errno. */
	int (*attach)(struct knote *kn);
	void (*detach)(struct knote *kn);
	/* Returns whether there is something to report, and updates fflags and data. */
	bool (*event)(struct knote *kn);
	/* Changes a knote that exists; NULL: sfflags and sdata are replaced. */
	void (*touch)(struct knote *kn, const struct kevent *kev);
};

/* Returns NULL for a filter that the stand-in lacks. */
const struct filterops *filter_find(short filter);
/* Tells the epoll of a queue which events of a descriptor its enabled knotes wait for. */
int filter_watch_fd(struct kqueue *kq, int fd);
/* Detaches and frees a knote that its queue no longer has. */
void knote_free(struct knote *kn);
/* Removes a knote from the queue of those that may be reported. */
void knote_dequeue(struct knote *kn);
/* Returns the queue of this process behind a descriptor, or NULL.  The caller holds the lock. */
struct kqueue *kqueue_find(int fd);
/* Closes a descriptor of the stand-in's own, without a look at the queues. */
int freebsd_close(int fd);
/* Ends the program with a message: vmrun uses something that the stand-in does not model. */
_Noreturn void freebsd_lacks(const char *what);

#endif
