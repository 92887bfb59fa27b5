/* An order: one line of JSON that a client of the control socket sends. */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum order_type {
	ORDER_STATUS,
	ORDER_STOP,
	ORDER_KILL,
	ORDER_REBOOT,
	ORDER_NEXT,
	ORDER_RESET,
	ORDER_RELOAD,
	ORDER_FORGET,
	ORDER_EVENTS,
	ORDER_CONSOLE,
	ORDER_WAIT_FOR,
	ORDER_WAIT,
};

#define ORDER_ID_MOST 256    /* bytes */
#define ORDER_TEXT_MOST 4096 /* bytes that may be waited for */

struct order {
	enum order_type type;
	char *id; /* as the client wrote it, JSON; NULL: none */
	char *target, *text, *state, *hook;
	size_t text_length;
	bool wait, write, backlog, gone;
	int64_t from;	    /* -1: not given */
	int64_t timeout_ms; /* -1: for ever */
};

/*
 * Reads a line, without its end.  0, or -1 with what is wrong with it; the id is there in either
 * case, if it could be read.  Free with order_clear() in either case.
 */
int order_read(struct order *out, const char *line, size_t length, struct error *err);
void order_clear(struct order *o);

#endif
