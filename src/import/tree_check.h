/* Compares what a command set with what the imported spec makes bhyve set. */
#ifndef IMPORT_TREE_CHECK_H
#define IMPORT_TREE_CHECK_H

#include "import/tree_reader.h"

/*
 * Puts the variables that no key of the spec sets into its `config`, with a note on each.  Adds to
 * the report why the spec is invalid, and each variable that the spec cannot carry.
 */
void tree_check(struct tree_reader *r);

#endif
