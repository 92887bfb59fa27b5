/* One client of the control socket: what it sends, what it still has to read. */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "platform/waitset.h"
#include "control/alarm.h"
#include "control/ring.h"

#define MAX_CLIENT_LINE ((size_t)65536) /* bytes of a request, without its newline */
#define MAX_CLIENT_OUT ((size_t)65536)	/* unread answers; requests wait then */

/* Bytes that are added at the end and used up from the start. */
struct client_bytes {
	char *text;
	size_t at, length, room; /* the bytes in use: length, from at on */
};

struct client {
	int fd;
	uintptr_t tag;
	pid_t pid;		 /* 0: unknown */
	struct client_bytes in;	 /* received and not used yet */
	size_t searched;	 /* bytes of it that are known to hold no newline */
	struct client_bytes out; /* not sent yet */
	bool is_console;	 /* raw console mode: what it sends is no request */
	bool writes;		 /* in raw console mode: what it sends is typed for the guest */
	uint64_t console_at;	 /* the next byte of the console that it gets */
	bool hears;		 /* it gets events */
	uint64_t event_at;	 /* the next event that it gets */
	bool leaves;		 /* it is closed when it has read all */
	bool dead;		 /* it is closed at the next settling */
	bool more;		 /* complete requests are left for the next settling */
	bool reserved;		 /* it has one of the places that are kept for a stop */
	size_t waits;		 /* its requests that wait for something */
	struct ring waiting;	 /* head of the list of these */
	bool reading, writing;	 /* what the wait set waits for */
	int64_t arrived_ms;
	int64_t moved_ms;    /* when it last sent or read something */
	struct ring moved;   /* in the list of clients to settle */
	struct ring stream;  /* in the list of those that get events, or the console */
	struct alarm stall;  /* in the set of those that have answers to read */
	struct alarm idling; /* in the set of those that can make room for another */
};

struct client *client_new(int fd, uintptr_t tag, pid_t pid, struct waitset *wait);
/* Closes the connection. wait is NULL when the wait set is gone. */
void client_free(struct client *c, struct waitset *wait);
void client_put(struct client *c, const char *bytes, size_t n);
/* An answer: {"id":ID,"ok":true,MORE} or {"id":ID,"ok":false,"error":TEXT}; id may be NULL. */
void client_accept(struct client *c, const char *id, const char *more);
void client_refuse(struct client *c, const char *id, const char *why);
/* Receives some bytes; notes when the client has ended its side. */
void client_read(struct client *c);
/* Sends what the client takes. Returns true when nothing is left to send. */
bool client_flush(struct client *c);
/* Returns the start of what came and was not used yet. */
const char *client_in(const struct client *c);
/*
 * Tells whether a complete line came, and its length without the newline.  Searches only the bytes
 * that came since the last search.
 */
bool client_line(struct client *c, size_t *length);
/* Drops the first n bytes of what came. */
void client_used(struct client *c, size_t n);
/* Sets what the wait set waits for: to send if there is something to send. */
void client_want(struct client *c, struct waitset *wait, bool reading);
/* Returns how many bytes wait to be read by the client. */
size_t client_unread(const struct client *c);
/* Tells whether the client has closed the connection. */
bool client_is_gone(const struct client *c);

#endif
