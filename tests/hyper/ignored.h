/* What bhyve takes without a word and does not do. */
#ifndef TESTS_HYPER_IGNORED_H
#define TESTS_HYPER_IGNORED_H

#include <stdbool.h>

/*
 * The first `path=value` line of a dump (sorted lines) that bhyve would ignore, whole or in part;
 * NULL when there is none. Caller frees.
 */
char *ignored_line(const char *dump, bool arm64);

#endif
