/* One client of the control socket, with the bytes that it sent and has yet to read. */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/str.h"
#include "platform/waitset.h"
#include "control/alarm.h"

#define MAX_CLIENT_LINE ((size_t)65536) /* bytes of a request line, without its newline */
#define MAX_CLIENT_OUT ((size_t)65536)	/* bytes of unread answers; requests wait then */

/* A buffer: bytes are added at the end and used from the start. */
struct client_bytes {
	char *text;
	size_t at, length, room; /* the bytes in use are text[at] to text[at + length - 1] */
};

struct wait;

LIST_HEAD(client_waits, wait);
TAILQ_HEAD(client_list, client);

struct client {
	int fd;
	uintptr_t tag;
	pid_t pid;		 /* 0: unknown */
	struct client_bytes in;	 /* received, not used yet */
	size_t searched;	 /* bytes at the start of `in` that are known to hold no newline */
	struct client_bytes out; /* not sent yet */
	bool is_console;	 /* in raw console mode: the client sends no requests */
	bool writes;	     /* in raw console mode: the guest gets the client's bytes as input */
	uint64_t console_at; /* position of the next console byte to send */
	bool hears;	     /* the client gets events */
	uint64_t event_at;   /* sequence number of the next event to send */
	bool leaves;	     /* to be closed as soon as all its output is sent */
	bool dead;	     /* to be closed by the next control_settle() */
	bool more;	     /* has complete requests left for a later control_settle() */
	bool reserved;	     /* has one of the places that are reserved for a stop */
	size_t waits;	     /* number of its requests that wait for something */
	struct client_waits waiting; /* the list of these requests */
	bool reading, writing;	     /* what the wait set watches for */
	int64_t arrived_ms;
	int64_t moved_ms;	    /* when the client last sent or read something */
	uint64_t marked;	    /* round of the mark to settle it; 0: not marked */
	TAILQ_ENTRY(client) moved;  /* link in the list of marked clients */
	TAILQ_ENTRY(client) stream; /* link in the list of listeners or viewers */
	struct alarm stall;	    /* in the set of clients with unread answers */
	struct alarm idling;	    /* in the set of clients that may be dropped for another */
};

/* Creates a client for a connection and watches it; a client that cannot be watched is dead. */
struct client *client_new(int fd, uintptr_t tag, pid_t pid, struct waitset *wait);
/* Closes the connection and frees the client; wait is NULL when the wait set is gone. */
void client_free(struct client *c, struct waitset *wait);
/* Adds bytes to the client's output. */
void client_put(struct client *c, const char *bytes, size_t n);
/* Begins {"id":ID,"ok":true; the caller adds members.  id may be NULL. */
void client_begin_answer(struct str *answer, const char *id);
/* Ends the answer, adds it to the client's output and frees it. */
void client_end_answer(struct client *c, struct str *answer);
/* Answers {"id":ID,"ok":true}; id may be NULL. */
void client_accept(struct client *c, const char *id);
/* Answers {"id":ID,"ok":false,"error":WHY}; id may be NULL. */
void client_refuse(struct client *c, const char *id, const char *why);
/* Receives some bytes; records that the client has shut down its side. */
void client_read(struct client *c);
/* Sends as much as the socket takes; returns true when nothing is left to send. */
bool client_flush(struct client *c);
/* Returns the first byte that was received and not used yet. */
const char *client_in(const struct client *c);
/*
 * Returns true, and the line's length without its newline, if a complete line was received.
 * Searches only the bytes that were received since the last search.
 */
bool client_line(struct client *c, size_t *length);
/* Drops the first n received bytes. */
void client_used(struct client *c, size_t n);
/* Sets what the wait set watches for: always output while there is some, and input if reading. */
void client_want(struct client *c, struct waitset *wait, bool reading);
/* Returns how many bytes of output are not sent yet. */
size_t client_unread(const struct client *c);
/* Returns true if the client has closed the connection. */
bool client_is_gone(const struct client *c);

#endif
