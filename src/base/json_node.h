/* A short JSON text, such as the value of --set, as nodes. */
#ifndef BASE_JSON_NODE_H
#define BASE_JSON_NODE_H

#include "base/node.h"

/*
 * NULL when the text is not JSON or has a key twice. Integers beyond 64 bits stay strings of
 * digits. Caller frees.
 */
struct node *json_node(const char *text);

#endif
