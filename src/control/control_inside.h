/*
 * The inside of a control socket, shared by control.c (what is done when), listener.c (the socket
 * itself), clients.c (clients come and go), serve.c (what they ask for), waiters.c (what they wait
 * for) and streams.c (what they hear).
 *
 * A wake-up costs what has moved, not what is connected: clients that sent, read or are owed
 * something are in the list `moved`, all others are not looked at.
 */
#ifndef CONTROL_CONTROL_INSIDE_H
#define CONTROL_CONTROL_INSIDE_H

#include <sys/stat.h>

#include "control/backlog.h"
#include "control/client.h"
#include "control/control.h"
#include "machine/machine.h"
#include "event/event.h"
#include "platform/waitset.h"
#include "process/console.h"
#include "spec/spec.h"
#include "control/request.h"

#define MAX_CLIENTS 1024
/*
 * The last places are kept for requests that end something: a client that gets one of them may ask
 * for status, stop and kill only, and is closed after a while unless it waits for the VM's end.
 * When these places are taken too, the one that came first makes room.  So a stop is always heard,
 * however many clients are connected and whatever they do not say.
 */
#define CONTROL_RESERVED 16
#define MAX_ORDINARY_CLIENTS (MAX_CLIENTS - CONTROL_RESERVED)
#define CONTROL_HURRY_MS 5000	/* for the request of a client in a reserved place */
#define MAX_CLIENT_WAITS 64	/* requests of one client that wait */
#define CONTROL_STALL_MS 30000	/* a client that reads none of its answers is dropped then */
#define MAX_REQUESTS_AT_ONCE 16 /* requests of one client, then it is another's turn */
#define CONTROL_RETRY_MS 1000	/* when there was no descriptor for a client */

/* A request that waits for something. */
struct wait {
	struct ring kind;    /* in the list of those that wait for the same kind of thing */
	struct ring sibling; /* in the list of its client */
	struct alarm timeout;
	struct client *client;
	char *id;
	char *state;		/* of the machine; NULL: the end of it, or a text */
	char *text;		/* on the console; NULL: another thing */
	size_t length, matched; /* of the text */
	size_t *fall;		/* how much still matches when the next byte does not */
	int64_t timeout_ms;	/* -1: for ever */
};

/* The socket that clients connect to. */
struct listener {
	char *path;
	int fd;	   /* -1: closed, the supervision is over */
	int spare; /* a descriptor to close when there is none for a client, or -1 */
	bool deaf; /* no descriptor was left: the socket is not watched for a moment */
	int64_t deaf_until_ms;
	dev_t device; /* which file it is */
	ino_t inode;
	int64_t boots; /* of the machine, when the file was looked at */
	bool warned;   /* that it cannot be created again */
};

struct control {
	struct machine *machine; /* lent */
	struct waitset *wait;	 /* lent */
	struct control_owner owner;
	struct listener listener;
	struct client *client[MAX_CLIENTS];	 /* the reserved places are the last ones */
	size_t free_place[MAX_ORDINARY_CLIENTS]; /* a stack */
	size_t free_count;
	size_t count, ordinary; /* clients, and those in ordinary places */
	size_t limit;		/* of the latter */
	int64_t stall_ms, hurry_ms;
	struct client *writer; /* of the console, or NULL */
	bool wants_room;       /* the console is waited for to take more of it */
	struct ring moved;     /* clients to settle */
	struct ring listeners; /* clients that get events */
	struct ring viewers;   /* clients that get the console */
	struct alarms stalled; /* clients with unread answers, by when they moved */
	struct alarms idle;    /* clients that can make room, by when they moved */
	struct ring texts;     /* requests that wait for a text, */
	struct ring states;    /* a state, */
	struct ring ends;      /* the end of the machine */
	struct alarms timeouts;
	size_t waits;	   /* all requests that wait */
	const char *state; /* of the machine, when those that wait for a state were looked at */
	struct backlog backlog;
	bool busy;    /* it is being served: what changes meanwhile is looked at afterwards */
	bool news;    /* a request was done: what follows from it is looked at once more */
	bool happens; /* events that the listeners have not got yet */
	bool prints;  /* output that the viewers have not got yet */
};

/* listener.c: all of the socket but its clients. */
int listener_open(struct control *c, const char *path, struct error *err);
/* Takes some of the clients that connect. */
void listener_accept(struct control *c);
/* Listens again after a lack of descriptors; looks at the file once a boot. */
void listener_look(struct control *c);
/* Creates the file again if it was deleted. */
void listener_renew(struct control *c);
int64_t listener_until_ms(const struct control *c);
void listener_close(struct control *c);

/* clients.c */
void clients_open(struct control *c);
/* Takes or refuses a client; hurried: it gets a reserved place. */
void clients_admit(struct control *c, int fd, bool hurried);
/* Settles this client soon. */
void clients_mark(struct control *c, struct client *client);
/* Closes the connection. */
void clients_drop(struct control *c, struct client *client);
/* After a client was settled: what it is waited for to do, and how long. */
void clients_update(struct control *c, struct client *client);
/* Drops the clients that have taken too long. */
void clients_expire(struct control *c);
int64_t clients_until_ms(const struct control *c);
/* Drops the client that has been idle longest, if that is long enough. */
void clients_make_room(struct control *c);
void clients_free(struct control *c);

/* serve.c: does what the complete lines of a client ask for. */
void serve_lines(struct control *c, struct client *client);
/* Types for the guest what a client that writes to the console has sent. */
void serve_type(struct control *c, struct client *client);
/* Waits until the console takes more, if its writer has more. */
void serve_room(struct control *c);
/* Refuses a client in a reserved place, and closes it when it has read that. */
void serve_refuse(const struct control *c, struct client *client, const char *id);

/* waiters.c */
void waiters_add(struct control *c, struct client *client, struct request *o);
/* Answers those whose state or time has come. */
void waiters_look(struct control *c);
void waiters_printed(struct control *c, const char *bytes, size_t n);
/* Answers all: the supervision is over. */
void waiters_end(struct control *c);
/* Forgets what a client waits for. */
void waiters_forget(struct control *c, struct client *client);
int64_t waiters_until_ms(const struct control *c);

/* streams.c: events and the console, as far as a client reads them. */
void streams_events(struct control *c, struct client *client, const struct request *o);
void streams_console(struct control *c, struct client *client, const struct request *o);
/* Tells whether a listener or viewer has something new to get. */
bool streams_has_news(const struct control *c);
/* Marks the clients that get what is new, but those that have not read what was before. */
void streams_mark(struct control *c);
/* Hands on what is there; returns when the client takes no more. */
void streams_pump(struct control *c, struct client *client);

#endif
