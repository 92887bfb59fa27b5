/*
 * The private part of the control socket, shared by control.c (order and timing), listener.c (the
 * socket file), clients.c (connections), serve.c (requests), waiters.c (requests that wait) and
 * streams.c (events and console).
 *
 * The cost of a wake-up depends on the active clients only: clients that sent or read something, or
 * that are to get something, are in the list `moved`; vmrun does not visit the others.
 */
#ifndef CONTROL_CONTROL_INSIDE_H
#define CONTROL_CONTROL_INSIDE_H

#include <sys/stat.h>

#include "base/search.h"
#include "control/backlog.h"
#include "control/client.h"
#include "control/control.h"
#include "machine/machine.h"
#include "event/event.h"
#include "platform/waitset.h"
#include "process/console.h"
#include "spec/spec.h"
#include "control/request.h"

#define NO_CONSOLE "no serial port of this VM is \"console\": see com1 in vmrun.conf(5)"

#define MAX_CLIENTS 1024
/*
 * The first places are reserved for a stop: a client in one of them may use status, stop and kill
 * only, and is closed after MAX_HURRY_MS unless it waits for the VM's end.  When these places
 * are taken as well, the oldest client in them is closed for a new one.  This way vmrun always
 * accepts a stop, even if idle clients hold every place.
 */
#define MAX_RESERVED_CLIENTS 16
#define MAX_ORDINARY_CLIENTS (MAX_CLIENTS - MAX_RESERVED_CLIENTS)
#define MAX_HURRY_MS 5000	/* time for a client in a reserved place to send its request */
#define MAX_CLIENT_WAITS 64	/* waiting requests of one client */
#define MAX_STALL_MS 30000	/* time until a client that reads none of its answers is dropped */
#define MAX_REQUESTS_AT_ONCE 16 /* requests served for one client before the next client's turn */
#define CONTROL_RETRY_MS 1000	/* pause after running out of descriptors */

/* A request that waits for something. */
struct wait {
	TAILQ_ENTRY(wait) kind;	  /* link in the list for its kind: texts, states, ... */
	LIST_ENTRY(wait) sibling; /* link in the list of its client */
	struct alarm timeout;
	struct client *client;
	char *id;
	char *state;	      /* of the machine; NULL: waits for something else */
	char *text;	      /* on the console; NULL: waits for something else */
	struct search search; /* for the text */
	int64_t timeout_ms;   /* -1: none */
	bool tells_end;	      /* of a stop: the answer says what ended the boot */
	bool for_ready;	      /* waits until the guest is ready */
};

TAILQ_HEAD(wait_list, wait);

/* The socket that clients connect to. */
struct listener {
	char *path;
	int fd;	   /* -1: closed, the VM has exited */
	int spare; /* descriptor to close when a client cannot get one, or -1 */
	bool deaf; /* not watched for a while, because no descriptor was left */
	int64_t deaf_until_ms;
	dev_t device; /* identity of the socket file, with inode */
	ino_t inode;
	int64_t boots; /* boots of the machine when the file was last checked */
	bool warned;   /* has warned that the socket cannot be created again */
};

struct control {
	struct machine *machine; /* lent */
	struct waitset *wait;	 /* lent */
	struct control_owner owner;
	struct listener listener;
	struct client **client; /* by place, the reserved ones first; NULL: it is free */
	size_t places;		/* so far, they stay */
	size_t count, ordinary; /* all clients, and those in ordinary places */
	size_t limit;		/* of ordinary clients */
	int64_t stall_ms, hurry_ms;
	struct client *writer;	  /* the client that writes to the console, or NULL */
	bool wants_room;	  /* waiting until the console takes more of the writer's bytes */
	uint64_t round;		  /* of marks; each control_settle() begins a new one */
	struct client_list moved; /* marked clients, by their rounds */
	struct client_list listeners; /* clients that get events */
	struct client_list viewers;   /* clients that get the console */
	struct alarms stalled;	      /* clients with unread answers, by when they moved */
	struct alarms idle;	  /* clients that may be dropped for another, by when they moved */
	struct wait_list texts;	  /* requests that wait for a text */
	struct wait_list states;  /* requests that wait for a state */
	struct wait_list ends;	  /* requests that wait for the end of the machine */
	struct wait_list readies; /* requests that wait until the guest is ready */
	LIST_HEAD(run_list, run) runs; /* scripts of clients (runs.c) */
	struct alarms timeouts;
	size_t waits;	   /* number of all requests that wait */
	const char *state; /* of the machine, when the waiting requests were last checked */
	bool is_ready;	   /* the guest, at that time */
	struct backlog backlog;
	bool busy;	 /* inside a call: changes made meanwhile are handled at its end */
	bool news;	 /* a request was served: its effects need another control_settle() */
	bool new_events; /* the listeners have not got them yet */
	bool new_output; /* the viewers have not got it yet */
};

/* listener.c: opens the socket. */
int listener_open(struct control *c, const char *path, struct error *err);
/* Accepts some of the pending connections. */
void listener_accept(struct control *c);
/* Listens again after a shortage of descriptors; checks the file once per boot. */
void listener_look(struct control *c);
/* Creates the file again if it was deleted. */
void listener_renew(struct control *c);
/* Returns when the socket wants to be watched again, or -1. */
int64_t listener_until_ms(const struct control *c);
/* Closes the socket and removes its file. */
void listener_close(struct control *c);

/* clients.c: prepares the places and the lists. */
void clients_open(struct control *c);
/* Gives a new client a place, or refuses it; hurried: a reserved place. */
void clients_admit(struct control *c, int fd, bool hurried);
/* Marks a client to be settled by the next control_settle(). */
void clients_mark(struct control *c, struct client *client);
/* Removes the mark; does nothing for a client that is not marked. */
void clients_unmark(struct control *c, struct client *client);
/* Closes a client's connection and frees its place. */
void clients_drop(struct control *c, struct client *client);
/* Updates what a client is watched for, and its alarms, after it was settled. */
void clients_update(struct control *c, struct client *client);
/* Drops the clients whose time is over. */
void clients_expire(struct control *c);
/* Returns when the next client's time is over, or -1. */
int64_t clients_until_ms(const struct control *c);
/* Drops the client that has been idle longest, if it was idle for MAX_STALL_MS. */
void clients_make_room(struct control *c);
/* Frees the memory of the places and of the alarms. */
void clients_free(struct control *c);

/* serve.c: serves the complete request lines of a client. */
void serve_lines(struct control *c, struct client *client);
/* Writes the client's bytes to the console, or drops them if the client only reads. */
void serve_type(struct control *c, struct client *client);
/* Watches for room in the console while its writer has bytes left. */
void serve_room(struct control *c);
/* Refuses a request of a client in a reserved place, and closes the client afterwards. */
void serve_refuse(const struct control *c, struct client *client, const char *id);

/*
 * waiters.c: lets a request wait, or answers it at once; takes ownership of the strings that it
 * needs.
 */
bool waiters_add(struct control *c, struct client *client, struct request *o);
/* Answers the requests whose state is reached or that have timed out. */
void waiters_look(struct control *c);
/* Answers the requests whose text appears in this output of the console. */
void waiters_printed(struct control *c, const char *bytes, size_t n);
/* Answers the requests that wait for a guest that is ready; its boot may have ended since. */
void waiters_ready(struct control *c);
/* Answers all waiting requests, because the VM has exited. */
void waiters_end(struct control *c);
/* Drops the waiting requests of a client. */
void waiters_forget(struct control *c, struct client *client);
/* Returns when the next request times out, or -1. */
int64_t waiters_until_ms(const struct control *c);

/* runs.c: begins the script of a client; takes the id.  Its end is the answer. */
void runs_begin(struct control *c, struct client *client, struct request *o);
/* Ends all scripts, because the VM has exited. */
void runs_end(struct control *c);
/* Ends the scripts of a client that goes away. */
void runs_forget(struct control *c, const struct client *client);

/* streams.c: starts to send events to a client. */
void streams_events(struct control *c, struct client *client, const struct request *o);
/* Switches a client to raw console mode. */
void streams_console(struct control *c, struct client *client, const struct request *o);
/* Stops sending events or the console to a client. */
void streams_leave(struct control *c, struct client *client);
/* Returns true if a listener or a viewer has something new to get. */
bool streams_has_news(const struct control *c);
/* Marks the listeners and viewers of what is new, except those with unsent output. */
void streams_mark(struct control *c);
/* Sends events or console output until all is sent or the socket is full. */
void streams_pump(struct control *c, struct client *client);

#endif
