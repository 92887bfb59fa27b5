/* The backlog as a ring buffer of lines, limited in number and in bytes. */
#include "control/backlog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Drops the oldest line. */
static void drop_first(struct backlog *b)
{
	b->bytes -= strlen(b->line[b->first]);
	free(b->line[b->first]);
	b->line[b->first] = NULL;
	b->first = (b->first + 1) % MAX_BACKLOG_EVENTS;
	b->count--;
	b->oldest++;
}

void backlog_add(struct backlog *b, uint64_t seq, char *line)
{
	size_t length = strlen(line);

	/* Lines are found by their numbers: those before a gap are lost, too. */
	while (b->count > 0 && seq != backlog_next(b))
		drop_first(b);
	if (b->line == NULL)
		b->line = mem_zero(MAX_BACKLOG_EVENTS * sizeof(*b->line));
	/* The new line itself is added however long it is. */
	while (b->count == MAX_BACKLOG_EVENTS ||
	    (b->count > 0 && b->bytes + length > MAX_BACKLOG_BYTES))
		drop_first(b);
	if (b->count == 0)
		b->oldest = seq;
	b->line[(b->first + b->count) % MAX_BACKLOG_EVENTS] = line;
	b->count++;
	b->bytes += length;
}

const char *backlog_line(const struct backlog *b, uint64_t seq)
{
	if (seq < b->oldest || seq >= backlog_next(b))
		return NULL;
	return b->line[(b->first + (size_t)(seq - b->oldest)) % MAX_BACKLOG_EVENTS];
}

uint64_t backlog_next(const struct backlog *b)
{
	return b->count == 0 ? 1 : b->oldest + b->count;
}

void backlog_clear(struct backlog *b)
{
	while (b->count > 0)
		drop_first(b);
	free(b->line);
	memset(b, 0, sizeof(*b));
}
