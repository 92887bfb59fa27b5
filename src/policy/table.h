/* The targets of a VM and the boots that follow each cause, as a table for a terminal.  Pure. */
#ifndef POLICY_TABLE_H
#define POLICY_TABLE_H

#include "policy/graph.h"

/*
 * Returns the table: causes down, targets across, as many targets side by side as 80 columns hold.
 * Caller frees.
 */
char *policy_table(const struct graph *g);

#endif
