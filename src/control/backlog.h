/* The newest events as lines of JSON, for clients that come late or read slowly. */
#ifndef CONTROL_BACKLOG_H
#define CONTROL_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

#define BACKLOG_EVENTS 1000
#define BACKLOG_BYTES ((size_t)1 << 20)

struct backlog {
	char **line; /* a ring of BACKLOG_EVENTS; NULL: nothing was ever added */
	size_t first, count, bytes;
	uint64_t oldest; /* sequence number of the first one */
};

/* Takes the line of the event that follows the one before; the oldest make room. */
void backlog_add(struct backlog *b, uint64_t seq, char *line);
/* The line of an event, lent until the next one is added; NULL: it is not here. */
const char *backlog_line(const struct backlog *b, uint64_t seq);
/* The number of the next event. */
uint64_t backlog_next(const struct backlog *b);
void backlog_clear(struct backlog *b);

#endif
