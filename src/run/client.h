/* One client of the control socket: what it sends, what it still has to read. */
#ifndef RUN_CLIENT_H
#define RUN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "platform/waitset.h"

#define CLIENT_LINE_MOST ((size_t)65536)
#define CLIENT_OUT_MOST ((size_t)65536) /* unread answers; requests wait then */

struct client {
	int fd;
	uintptr_t tag;
	pid_t pid; /* 0: unknown */
	char *in;  /* what came and was not used yet */
	size_t in_length, in_room;
	char *out; /* what it has not read yet */
	size_t out_at, out_length, out_room;
	bool is_console;       /* its bytes are no requests: */
	bool writes;	       /* they are typed for the guest */
	uint64_t console_at;   /* what it gets next of what the guest printed */
	bool hears;	       /* events, */
	uint64_t event_at;     /* from this one on */
	bool leaves;	       /* hung up on when it has read all, */
	bool dead;	       /* or at once */
	size_t waits;	       /* requests of its that wait for something */
	bool reading, writing; /* what the wait set waits for */
	int64_t moved_ms;      /* when it last sent or read something */
};

struct client *client_new(int fd, uintptr_t tag, pid_t pid, struct waitset *wait);
/* NULL for wait: the wait set does not know it (any more). */
void client_free(struct client *c, struct waitset *wait);
void client_put(struct client *c, const char *bytes, size_t n);
/* An answer: {"id":ID,"ok":true,MORE} or {"id":ID,"ok":false,"error":TEXT}; id may be NULL. */
void client_accept(struct client *c, const char *id, const char *more);
void client_refuse(struct client *c, const char *id, const char *why);
/* Takes some of what it sends; marks it dead when it has hung up. */
void client_read(struct client *c);
/* Sends what it takes. True: it has read all. */
bool client_flush(struct client *c);
/* Drops the first n bytes of what came. */
void client_used(struct client *c, size_t n);
/* What the wait set shall wait for. */
void client_want(struct client *c, struct waitset *wait, bool reading);
/* Bytes that wait to be read by it. */
size_t client_unread(const struct client *c);
/* Has it hung up on us? */
bool client_is_gone(const struct client *c);

#endif
