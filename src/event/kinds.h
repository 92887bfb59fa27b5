/*
 * The kinds of events, a row each: its name, its level and the members of its JSON.  A new event
 * needs a row in kinds.c, a type in the public header and a line in schema/event.schema.json.
 */
#ifndef EVENT_KINDS_H
#define EVENT_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "vmrun/vmrun.h"

enum event_value {
	MEMBER_END,
	MEMBER_TEXT,	    /* a string, or null */
	MEMBER_LINES,	    /* the lines of a text, as a list of strings */
	MEMBER_WORDS,	    /* a list of strings */
	MEMBER_JSON,	    /* a text that is JSON already, or null */
	MEMBER_INT,	    /* an int */
	MEMBER_INT_OR_NULL, /* null where it is negative: no status */
	MEMBER_NONZERO_INT, /* null where it is 0: no signal */
	MEMBER_INT64,
	MEMBER_INT64_OR_NULL, /* null where it is negative: a time that there was not */
};

struct event_member {
	const char *key;
	enum event_value value;
	size_t offset; /* in struct vmrun_event */
};

#define MAX_EVENT_MEMBERS 8

/* How much an event matters, in the words of --log-level. */
enum event_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG, LEVEL_LEVELS };

struct event_kind {
	const char *name;
	enum event_level level;	    /* of an event that reports nothing bad */
	enum event_level bad_level; /* of one with problems, or with a cause that is a failure */
	bool floods; /* guests or scripts make any number of them: the oldest are dropped */
	struct event_member member[MAX_EVENT_MEMBERS]; /* up to MEMBER_END */
};

/* Lends the row of a type. */
const struct event_kind *event_kind(enum vmrun_event_type type);

#endif
