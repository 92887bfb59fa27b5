/*
 * The inside of a control socket, shared by control.c (clients come and go), serving.c (what they
 * ask for), waiting.c (what they wait for) and streaming.c (what they hear).
 */
#ifndef RUN_CONTROL_STATE_H
#define RUN_CONTROL_STATE_H

#include "run/backlog.h"
#include "run/client.h"
#include "run/control.h"
#include "run/machine_state.h"
#include "run/order.h"

#define CONTROL_CLIENTS 1024 /* at most, and fewer than descriptors */
#define CONTROL_WAITS 64     /* requests of one client that wait */
#define CONTROL_STALL_MS                                                                        \
	30000		      /* a client that does not read its answers for so long is dropped \
			       */
#define CONTROL_AT_ONCE 16    /* requests of one client, then it is another's turn */
#define CONTROL_RETRY_MS 1000 /* when there was no descriptor for a client */

/* A request that waits for something. */
struct wait {
	struct wait *next;
	struct client *client;
	enum order_type type;
	char *id;
	char *state;		/* of the machine; NULL: the end of it, or a text */
	char *text;		/* on the console; NULL: another thing */
	size_t length, matched; /* of the text */
	size_t *fall;		/* how much still matches when the next byte does not */
	bool seen;
	int64_t until_ms; /* -1: for ever */
	int64_t timeout_ms;
};

struct control {
	struct machine *machine; /* lent */
	struct control_owner owner;
	char *path;
	int listener; /* -1: closed, the supervision is over */
	bool deaf;    /* no descriptor was left: the listener is not watched for a moment */
	int64_t deaf_until_ms;
	struct client *client[CONTROL_CLIENTS];
	size_t count, limit;
	int64_t stall_ms;
	struct client *writer; /* of the console, or NULL */
	bool wants_room;       /* the console is waited for to take more of it */
	struct wait *waits;
	struct backlog backlog;
	bool busy;  /* it is being served: what changes meanwhile is looked at afterwards */
	bool news;  /* something was printed or has happened */
	bool again; /* requests are left that came already */
};

/* serving.c: does what the complete lines of a client ask for. */
void serving_lines(struct control *c, struct client *client);
/* What a client that writes to the console has sent goes to the guest. */
void serving_type(struct control *c, struct client *client);
/* Waits until the console takes more, if its writer has more. */
void serving_room(struct control *c);

/* waiting.c */
void waiting_add(struct control *c, struct client *client, struct order *o);
/* Answers those whose time or event has come. */
void waiting_look(struct control *c);
void waiting_printed(struct control *c, const char *bytes, size_t n);
/* The supervision is over. */
void waiting_end(struct control *c);
/* A client has gone. */
void waiting_forget(struct control *c, const struct client *client);
int64_t waiting_until_ms(const struct control *c);

/* streaming.c: events and the console, as far as a client reads them. */
void streaming_events(struct control *c, struct client *client, const struct order *o);
void streaming_console(struct control *c, struct client *client, const struct order *o);
/* Hands on what is there; returns when the client takes no more. */
void streaming_pump(struct control *c, struct client *client);

#endif
