/* What bhyve reads out of the command of an imported spec. */
#ifndef TESTS_IMPORT_PLANNED_TREE_H
#define TESTS_IMPORT_PLANNED_TREE_H

#include "base/node.h"

/* The tree and the words of the loader of one target, as sorted lines. */
struct planned_tree {
	char *tree, *loader;
};

/* Plans a target of a spec for FreeBSD 14 on amd64; fails the test if it is refused. */
void planned_tree_make(struct planned_tree *t, const struct node *spec, const char *target);
void planned_tree_free(struct planned_tree *t);
/*
 * Returns a tree in which texts that mean the same to bhyve are the same: the numbers of the
 * processors, the size of the memory, and the old name of rfb.  Caller frees.
 */
char *planned_tree_normal(const char *tree);

#endif
