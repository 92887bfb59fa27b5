/*
 * Looks for a text in a stream that comes in pieces, without keeping the stream: the algorithm of
 * Knuth, Morris and Pratt, whose time is linear whatever the stream holds.
 */
#ifndef BASE_SEARCH_H
#define BASE_SEARCH_H

#include <stddef.h>

struct search {
	char *text; /* a copy; may contain NULs */
	size_t length;
	size_t matched; /* bytes of the text that the stream ends with */
	size_t *fall;	/* for each matched length, the length that a byte that differs leaves */
};

/* Prepares a search for a text, which is copied.  An empty one is found with the next byte. */
void search_begin(struct search *s, const char *text, size_t length);
/*
 * Continues in the next n bytes of the stream.  Returns how many of them end with the first match,
 * or 0 if all were read without one.  After a match the search starts anew.
 */
size_t search_bytes(struct search *s, const char *bytes, size_t n);
/* Starts anew: the bytes that come next do not continue those before. */
void search_restart(struct search *s);
/* Frees the text and the table; a zeroed struct is fine. */
void search_free(struct search *s);

#endif
