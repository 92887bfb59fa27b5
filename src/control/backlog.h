/* The newest events as lines of JSON, for clients that connect late or read slowly. */
#ifndef CONTROL_BACKLOG_H
#define CONTROL_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

#define MAX_BACKLOG_EVENTS 1000
#define MAX_BACKLOG_BYTES ((size_t)1 << 20)

struct backlog {
	char **line; /* ring buffer of `room` lines */
	size_t room; /* grows with the lines, to MAX_BACKLOG_EVENTS */
	size_t first, count, bytes;
	uint64_t oldest; /* sequence number of the first line */
};

/*
 * Adds the line of the next event, and drops the oldest lines to make room for it, or all lines if
 * numbers between them and this event are missing.  Takes ownership of the line.
 */
void backlog_add(struct backlog *b, uint64_t seq, char *line);
/* Returns the line of an event, valid until the next is added; NULL if the backlog lacks it. */
const char *backlog_line(const struct backlog *b, uint64_t seq);
/* Returns the sequence number of the next event. */
uint64_t backlog_next(const struct backlog *b);
/* Drops all lines and frees their memory. */
void backlog_clear(struct backlog *b);

#endif
