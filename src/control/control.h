/*
 * The control socket of a supervision: clients ask for its state, for stops and boots, hear events
 * and have the console, a line of JSON a request.  It lives in the machine's wait set and never
 * waits for a client.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vmrun/vmrun.h"

struct control;
struct event_queue;
struct machine;
struct waitset;

/* What only the owner of the machine can do. */
struct control_owner {
	/* Reads the spec again; -1 with all that is wrong with it. */
	int (*reload)(void *context, struct error *err);
	/* Drops what a stock hook has kept in vmrun.state. */
	int (*forget)(void *context, const char *hook, struct error *err);
	/* An event as a line of JSON. Caller frees. */
	char *(*event_json)(void *context, const struct vmrun_event *event);
	void *context;
	struct event_queue *events; /* lent */
	const char *vm;		    /* its name */
};

/*
 * Tags in the wait set, beyond those of the machine: the socket itself, then clients by their
 * number.
 */
#define CONTROL_TAG (UINTPTR_MAX >> 1)
#define CONTROL_TAG_CLIENT (CONTROL_TAG + 1)

/*
 * Listens at this path, where the caller has the lock of the VM's name; owner, machine and wait set
 * are lent.  From now on the caller's loop calls the functions below.
 */
int control_open(struct control **out, struct machine *m, struct waitset *wait, const char *path,
    const struct control_owner *owner, struct error *err);
/* Serves a descriptor that is ready: its tag is CONTROL_TAG or one beyond. */
void control_wake(struct control *c, uintptr_t tag);
/* The console can be written, perhaps. */
void control_console_ready(struct control *c);
/* Something may have changed: clients that wait for it hear of it.  NULL is fine. */
void control_settle(struct control *c);
/* Creates the socket again if it was deleted; its clients stay connected.  NULL is fine. */
void control_renew(struct control *c);
/* When it wants to be settled at the latest, by clock_ms(); -1: never.  NULL is fine. */
int64_t control_until_ms(const struct control *c);
/* The supervision is over: says so to all who wait, and removes the socket.  NULL is fine. */
void control_close(struct control *c);
/* Hangs up, which tells clients that the VM's name is free. NULL is fine. */
void control_free(struct control *c);

#endif
