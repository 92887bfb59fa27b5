/* Specs with something changed: by hand errors, and what only a machine would think of. */
#ifndef TESTS_HYPER_MUTATE_H
#define TESTS_HYPER_MUTATE_H

#include "base/node.h"

/*
 * Changes one thing in a document, with the dice of random_spec.h.  What vmrun passes on unread
 * (raw devices, extra_options, args) is left alone.  Returns what was done, for people.
 */
const char *mutate(struct node *document);
/* Caller frees. */
char *mutate_print(const struct node *document);

#endif
