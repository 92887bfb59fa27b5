/* Nodes as JSON. */
#ifndef BASE_NODE_JSON_H
#define BASE_NODE_JSON_H

#include "base/node.h"
#include "base/str.h"

/*
 * Adds a tree as compact JSON: equal trees give equal texts, as objects are sorted.  Numbers are as
 * short as they can be and come back as what they were: 2.0 is no integer.  What JSON has no word
 * for (infinite numbers, functions) becomes null.
 */
void node_add_json(struct str *s, const struct node *n);

#endif
