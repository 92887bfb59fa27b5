/* The handle of a client. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <sys/types.h>

#include "client/connection.h"
#include "client/sent.h"
#include "vmrun/client.h"

struct vmrun_client {
	struct connection connection;
	char *directory;  /* RUN-DIR/NAME; NULL: the name is invalid */
	char *denial;	  /* why vmrun serves this user no request; NULL: it does, so far */
	char *error;	  /* of the last call; NULL: it succeeded */
	char *line;	  /* the last one, lent by the message */
	bool is_answered; /* the last line is the answer to the last request */
	char *reason;
	struct vmrun_message message;
	uint64_t last_id; /* of the requests */
	struct sent sent;
	bool is_absent; /* no process listened when the client was opened */
	bool follows;	/* events come */
	bool is_closed; /* a call has said that vmrun closed the connection */
	bool is_console;
	bool types;	    /* on the console */
	bool is_attaching;  /* an attempt to attach did not end in time */
	uint64_t follow_id; /* of the request that `follows` is due to */
};

/*
 * survivor.c: returns the pid of the vmrun that holds the lock in DIRECTORY; 0: none does, -1: this
 * user may not know.
 */
pid_t client_supervisor(const char *directory);
/* Keeps the reason for a failure, and returns the status. */
int client_fail(struct vmrun_client *c, enum vmrun_client_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Keeps the reason for a failure of a call with NULL for this argument. */
int client_fail_null(struct vmrun_client *c, const char *argument);
/* Forgets the reason of the last failure, and returns VMRUN_CLIENT_OK. */
int client_succeed(struct vmrun_client *c);
/* Keeps the reason for a failure of the connection with this errno; 0: the stream has ended. */
int client_fail_connection(struct vmrun_client *c, int why);
/* Returns VMRUN_CLIENT_OK if the connection is open and its mode is that one. */
int client_expect(struct vmrun_client *c, bool is_console);
/*
 * Sends a request and receives its answer as c->message.  `attaches`: it is that of
 * vmrun_client_attach().
 */
int client_ask(struct vmrun_client *c, const char *request, bool attaches, int64_t limit_ms);

#endif
