/* The backlog as a ring buffer of lines, limited in number and in bytes. */
#include "control/backlog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LEAST_ROOM 16 /* lines */

/* Drops the oldest line. */
static void drop_first(struct backlog *b)
{
	b->bytes -= strlen(b->line[b->first]);
	free(b->line[b->first]);
	b->first = (b->first + 1) % b->room;
	b->count--;
	b->oldest++;
}

/* Makes room for more lines in a full ring, in their order. */
static void grow(struct backlog *b)
{
	size_t room = b->room == 0 ? LEAST_ROOM : 2 * b->room;
	char **line;

	if (room > MAX_BACKLOG_EVENTS)
		room = MAX_BACKLOG_EVENTS;
	line = mem_resize(NULL, room, sizeof(char *));
	for (size_t i = 0; i < b->count; i++)
		line[i] = b->line[(b->first + i) % b->room];
	free(b->line);
	b->line = line;
	b->room = room;
	b->first = 0;
}

void backlog_add(struct backlog *b, uint64_t seq, char *line)
{
	size_t length = strlen(line);

	/* Lines are found by their numbers: those before a gap are lost, too. */
	while (b->count > 0 && seq != backlog_next(b))
		drop_first(b);
	/* The new line itself is added however long it is. */
	while (b->count == MAX_BACKLOG_EVENTS ||
	    (b->count > 0 && b->bytes + length > MAX_BACKLOG_BYTES))
		drop_first(b);
	if (b->count == b->room)
		grow(b);
	if (b->count == 0)
		b->oldest = seq;
	/* A line stays for long: it keeps no more memory than its length needs. */
	b->line[(b->first + b->count) % b->room] = mem_resize(line, length + 1, 1);
	b->count++;
	b->bytes += length;
}

const char *backlog_line(const struct backlog *b, uint64_t seq)
{
	if (seq < b->oldest || seq >= backlog_next(b))
		return NULL;
	return b->line[(b->first + (size_t)(seq - b->oldest)) % b->room];
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
