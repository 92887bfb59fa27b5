/* Bytes from a pipe, cut into lines, in a fixed amount of memory. */
#ifndef PROCESS_LINES_H
#define PROCESS_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_LONGEST 4096 /* a longer line is handed on in pieces */

struct lines {
	char text[LINES_LONGEST + 1];
	size_t length;
	size_t handed; /* bytes of the line that was handed out last; dropped at the next call */
	bool was_cut;  /* it was a piece of a longer line */
};

/*
 * Adds as many bytes as fit and returns how many.  While lines_next() returns a line (without its
 * end; valid until the next call), take it, then add the rest.
 */
size_t lines_add(struct lines *l, const char *bytes, size_t n);
const char *lines_next(struct lines *l);
/* What is left without a line end, or NULL; the buffer is empty then. */
const char *lines_rest(struct lines *l);

#endif
