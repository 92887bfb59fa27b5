/* Makes nodes of a short JSON text, such as the value of --set. */
#ifndef BASE_JSON_NODE_H
#define BASE_JSON_NODE_H

#include "base/json.h"
#include "base/node.h"

/*
 * Returns NULL when the text is not JSON or has a duplicate key.  Caller frees.
 */
struct node *json_node(const char *text);

/* Makes the node of a value, without the children of an object or a list.  Caller frees. */
struct node *json_value(const struct json *j, const struct json_token *token);

/* Why and where a text is not JSON. */
struct json_fault {
	const char *why; /* a static text */
	size_t line, column;
};

/* Does the same, and fills in *fault on failure. */
struct node *json_node_or_fault(const char *text, struct json_fault *fault);

#endif
