/*
 * Looks for texts and patterns in the output of the console, whichever comes first.
 *
 * A text is found anywhere, however the output was cut into pieces.  A pattern is matched against
 * whole lines, once their line end (LF) has come, without the CRs at both ends; of a longer line
 * against the first MAX_PATTERN_LINE bytes.  The position of a watch begins a line.
 *
 * The match that ends first wins; a pattern's match spans its line, LF included.  Of matches that
 * end at the same byte the one that begins first wins, then the first in the list.
 */
#ifndef GUEST_WATCH_H
#define GUEST_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/node.h"
#include "process/console.h"

#define MAX_WATCH_PATTERNS 100 /* texts and patterns of one watch */
#define MAX_WATCH_TEXT 4096    /* bytes of a text */

struct watch;

enum watch_state {
	WATCH_FOUND,
	WATCH_WAITS,  /* all output was read: look again after the next */
	WATCH_BEHIND, /* there is more to read: look again after a turn of the loop */
};

/* What was found; the caller frees it.  Both nodes may contain NULs. */
struct watch_found {
	size_t index;	     /* in the list of patterns, from 1 */
	struct node *text;   /* NODE_STRING: the text, or NULL */
	struct node *groups; /* NODE_LIST of strings: see pattern_match(), or NULL */
};

/*
 * Makes a watch that starts at byte `at` of the console's output.  `patterns` is a list of objects:
 * {text=...} or {regex=...}.  Fails (STATUS_USAGE) for an empty list or text, and for an expression
 * that pattern_compile() refuses.
 */
int watch_new(struct watch **out, const struct node *patterns, uint64_t at, struct error *err);
/*
 * Reads on from the watch's position and fills *found for WATCH_FOUND.  Output that the ring has
 * overwritten is lost: the watch continues at the oldest byte there, and patterns with the line
 * that begins after it.  After a match, the next look continues behind it.
 *
 * A call matches lines of about MAX_PATTERN_LINE bytes, so that it takes milliseconds at most.
 */
enum watch_state watch_look(struct watch *w, const struct console *c, struct watch_found *found);
/* Returns the position in the console's output: after a match the byte that follows it. */
uint64_t watch_at(const struct watch *w);
/* Frees a watch; NULL is fine. */
void watch_free(struct watch *w);
/* Frees what was found and empties the struct. */
void watch_found_free(struct watch_found *found);

#endif
