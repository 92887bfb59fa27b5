/*
 * The control socket: clients query and control the VM, get events and use the console.  A request
 * is one line of JSON.  The socket shares the machine's wait set and never blocks on a client.
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

/* What the control socket needs from the owner of the machine. */
struct control_owner {
	/* Reads the spec again; returns -1 with all its errors on failure. */
	int (*reload)(void *context, struct error *err);
	/* Drops the values that a stock hook stored in vmrun.state. */
	int (*forget)(void *context, const char *hook, struct error *err);
	void *context;
	struct event_queue *events; /* lent */
	const char *vm;		    /* name of the VM */
};

/*
 * The tags in the wait set, above those of the machine: first the socket itself, then the clients
 * by their places.
 */
#define CONTROL_TAG (UINTPTR_MAX >> 1)
#define CONTROL_TAG_CLIENT (CONTROL_TAG + 1)

/*
 * Listens at this path; the caller holds the lock of the VM's name.  Borrows owner, machine and
 * wait set.  From then on the caller's loop calls the functions below.
 */
int control_open(struct control **out, struct machine *m, struct waitset *wait, const char *path,
    const struct control_owner *owner, struct error *err);
/* Serves a descriptor that is ready; its tag is CONTROL_TAG or above. */
void control_wake(struct control *c, uintptr_t tag);
/* Writes pending input to the console, which may take more now. */
void control_console_ready(struct control *c);
/* Serves all clients that sent something or that a change concerns; c may be NULL. */
void control_settle(struct control *c);
/* Creates the socket again if it was deleted; clients stay connected; c may be NULL. */
void control_renew(struct control *c);
/* Returns the latest time for control_settle(), by clock_ms(); -1: never; c may be NULL. */
int64_t control_until_ms(const struct control *c);
/* Answers all clients that wait and removes the socket, when the VM has exited; c may be NULL. */
void control_close(struct control *c);
/* Closes all connections: clients see that the VM's name is free; c may be NULL. */
void control_free(struct control *c);

#endif
