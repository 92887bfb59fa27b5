/*
 * The place of a decoder in a document: one frame for each level, on the C stack, so that a place
 * costs nothing until a problem names it.
 */
#ifndef BASE_WHERE_H
#define BASE_WHERE_H

#include "base/node.h"

struct where {
	const struct where *up;
	const char *key; /* NULL: a list entry */
	size_t index;	 /* of the list entry, from 0 */
};

/* Returns "emulations[0].path"; "" for NULL.  Caller frees. */
char *where_path(const struct where *at);
/* Returns the same as a list of strings and integers, the integers counted from 1 as Lua does. */
struct node *where_keys(const struct where *at);
/* Returns the path of such a list, with integers counted from 0 again.  Caller frees. */
char *where_keys_path(const struct node *keys);

#endif
