/* Which call fails at which position with which error. */
#ifndef FAULTS_CHOOSE_H
#define FAULTS_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "calls.h"

struct injection {
	int call; /* -1: none fails */
	unsigned long at;
	int error;
};

struct injections {
	struct injection *item; /* owned */
	size_t count;
	unsigned long possible;
};

const char *choose_name(int call);
/* Returns the number of a call, or -1. */
int choose_call(const char *name);
/*
 * Chooses about `budget` injections (0: all) among the calls that were counted: each call with each
 * of its errors, at positions that lie as far from each other as possible.
 */
void choose_injections(
    bool memory, const unsigned long *counts, unsigned long budget, struct injections *list);
/* Chooses all injections of one call. */
void choose_one_call(int call, unsigned long all, struct injections *list);
/* Prints the calls covered: positions of the run, errors, injections made. */
void choose_print(const unsigned long *counts, const unsigned long *done);
/* Checks the symbols on stdin; prints those that are neither covered nor in the file, with a
 * reason. */
bool choose_check(const unsigned long *counts, const char *excluded);

#endif
