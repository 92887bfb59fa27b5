/*
 * Extended regular expressions, as POSIX defines them for regcomp(3), for lines that others send:
 * the time and the memory that a line can cost are bounded.  Bytes are characters, whatever the
 * locale.
 */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/node.h"

#define MAX_PATTERN_LENGTH 1024 /* bytes of an expression */
#define MAX_PATTERN_LINE 1024	/* bytes of a line that callers match at most */

struct pattern;

/*
 * Compiles an extended regular expression.  Refuses (STATUS_USAGE, with the expression and the
 * reason) what regcomp(3) refuses, what POSIX leaves undefined, back references, NULs and what
 * exceeds the limits here and in automaton.h.
 */
int pattern_compile(struct pattern **out, const char *ere, size_t length, struct error *err);
/* Returns the number of groups in parentheses. */
size_t pattern_groups(const struct pattern *p);
/*
 * Returns whether the pattern matches somewhere in the line, which may contain NULs.  Then *groups,
 * unless `groups` is NULL, is a NODE_LIST of strings that the caller frees: the groups, "" for one
 * that took no part in the match; for a pattern without groups one string, the match.
 */
bool pattern_match(const struct pattern *p, const char *line, size_t length, struct node **groups);
/* Frees a pattern; NULL is fine. */
void pattern_free(struct pattern *p);

#endif
