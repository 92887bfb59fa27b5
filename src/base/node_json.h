/* Nodes as JSON. */
#ifndef BASE_NODE_JSON_H
#define BASE_NODE_JSON_H

#include "base/node.h"
#include "base/str.h"

/*
 * Adds a tree as compact JSON.  Equal trees give equal texts, as objects are sorted.  Numbers are
 * as short as possible and keep their type: the float 2 is written as 2.0.  Values that JSON cannot
 * hold (infinite numbers, functions) become null.
 */
void node_add_json(struct str *s, const struct node *n);

#endif
