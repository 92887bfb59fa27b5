/*
 * kqueue(2) as vmrun uses it, with the numbers of FreeBSD 14's <sys/event.h>:
 * tests/freebsd/kqueue.c implements it on Linux.
 */
#ifndef FREEBSD_SYS_EVENT_H
#define FREEBSD_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_PROC (-5)
#define EVFILT_TIMER (-7)
#define EVFILT_USER (-11)

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080
#define EV_EOF 0x8000
#define EV_ERROR 0x4000

#define NOTE_TRIGGER 0x01000000U
#define NOTE_EXIT 0x80000000U
#define NOTE_SECONDS 0x00000001U
#define NOTE_MSECONDS 0x00000002U
#define NOTE_USECONDS 0x00000004U
#define NOTE_NSECONDS 0x00000008U
#define NOTE_ABSTIME 0x00000010U

struct kevent {
	uintptr_t ident;
	short filter;
	unsigned short flags;
	unsigned int fflags;
	int64_t data;
	void *udata;
	uint64_t ext[4];
};

#define EV_SET(event, a, b, c, d, e, f)            \
	(*(event) = (struct kevent){ .ident = (a), \
	     .filter = (b),                        \
	     .flags = (c),                         \
	     .fflags = (d),                        \
	     .data = (e),                          \
	     .udata = (f) })

int kqueue(void);
int kevent(int fd, const struct kevent *changes, int change_count, struct kevent *events,
    int event_count, const struct timespec *timeout);

#endif
