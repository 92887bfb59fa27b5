/* A request: one line of JSON that a client of the control socket sends. */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum request_type {
	REQUEST_STATUS,
	REQUEST_STOP,
	REQUEST_KILL,
	REQUEST_REBOOT,
	REQUEST_NEXT,
	REQUEST_RESET,
	REQUEST_RELOAD,
	REQUEST_FORGET,
	REQUEST_EVENTS,
	REQUEST_CONSOLE,
	REQUEST_WAIT_FOR,
	REQUEST_WAIT,
	REQUEST_RUN,
};

#define MAX_REQUEST_ID 256	       /* bytes, as written */
#define MAX_REQUEST_TEXT 4096	       /* bytes of a string member */
#define MAX_REQUEST_SECONDS 1000000000 /* of a timeout */

struct request {
	enum request_type type;
	char *id; /* JSON, as the client wrote it; NULL: none */
	char *target, *text, *state, *hook, *name;
	size_t text_length; /* of the text, which may contain NULs */
	bool wait, write, backlog, gone, ready;
	int64_t from;	    /* -1: not given */
	int64_t timeout_ms; /* -1: none */
};

/*
 * Reads a line without its newline.  Returns 0, or -1 with the error.  In both cases, sets the id
 * if it could be read, and the caller frees the request with request_clear().
 */
int request_read(struct request *out, const char *line, size_t length, struct error *err);
/* Frees the members of a request. */
void request_clear(struct request *o);

#endif
