/* An order: one line of JSON that a client of the control socket sends. */
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
};

#define MAX_REQUEST_ID 256    /* bytes */
#define MAX_REQUEST_TEXT 4096 /* bytes that may be waited for */

struct request {
	enum request_type type;
	char *id; /* as the client wrote it, JSON; NULL: none */
	char *target, *text, *state, *hook;
	size_t text_length;
	bool wait, write, backlog, gone;
	int64_t from;	    /* -1: not given */
	int64_t timeout_ms; /* -1: for ever */
};

/*
 * Reads a line, without its end.  0, or -1 with what is wrong with it; the id is there in either
 * case, if it could be read.  Free with request_clear() in either case.
 */
int request_read(struct request *out, const char *line, size_t length, struct error *err);
void request_clear(struct request *o);

#endif
