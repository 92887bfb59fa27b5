/* Cuts bytes from a pipe into lines, in a limited amount of memory. */
#ifndef PROCESS_LINES_H
#define PROCESS_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_OUTPUT_LINE 4096 /* bytes; a longer line is returned in pieces */

struct lines {
	char *text; /* NULL while there are no bytes: most streams say nothing for days */
	size_t length;
	size_t returned; /* bytes of the line that was returned last; dropped at the next call */
	bool was_cut;	 /* the last line returned was a piece of a longer one */
};

/*
 * Adds as many bytes as fit and returns how many.  The caller takes all lines from lines_next(),
 * then adds the rest.
 */
size_t lines_add(struct lines *l, const char *bytes, size_t n);
/* Returns the next line without its end, valid until the next call, or NULL if none is complete. */
const char *lines_next(struct lines *l);
/*
 * Returns the last line, which has no end, valid until the next call, or NULL, and empties the
 * buffer.
 */
const char *lines_rest(struct lines *l);
/* Empties and frees the buffer. */
void lines_clear(struct lines *l);

#endif
