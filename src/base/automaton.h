/*
 * Extended regular expressions as an automaton whose states are followed side by side (Thompson's
 * construction).  A search takes time in proportion to the line and to the size of the expression,
 * and no memory but what automaton_new() has allocated.  regexec(3) promises neither: glibc's takes
 * seconds and hundreds of megabytes for `.*a.{255}c` on a line of 1 KiB.
 */
#ifndef BASE_AUTOMATON_H
#define BASE_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_AUTOMATON_REPEAT 255 /* product of the counts of repetitions inside each other */
#define MAX_AUTOMATON_DEPTH 32	 /* groups inside each other */
#define MAX_AUTOMATON_STEPS 2048 /* characters and operators, repetitions written out */

struct automaton;

/* Why an expression was refused: an error of regcomp(3), or a static string where that is 0. */
struct automaton_error {
	int code;
	const char *why;
};

/*
 * Makes the automaton of an expression.  Returns NULL and fills *err for one that is wrong, that
 * exceeds a limit, or whose meaning POSIX leaves undefined.
 */
struct automaton *automaton_new(const char *ere, size_t length, struct automaton_error *err);
/* Returns the number of groups in parentheses. */
size_t automaton_groups(const struct automaton *a);
/* Finds the leftmost match, at its longest, between *start and *end; returns false for none. */
bool automaton_find(
    const struct automaton *a, const char *line, size_t length, size_t *start, size_t *end);
/*
 * Finds the groups of a match of automaton_find(): places[2 * i] and [2 * i + 1] are where group i
 * of a line begins and ends, SIZE_MAX for one that took no part.  Of several ways to match the same
 * bytes the first alternative and the longest repetition win, from left to right.
 */
void automaton_find_groups(const struct automaton *a, const char *line, size_t length, size_t start,
    size_t end, size_t *places);
/* Frees an automaton; NULL is fine. */
void automaton_free(struct automaton *a);

#endif
