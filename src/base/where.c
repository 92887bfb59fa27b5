/* Places in a document. */
#include "base/where.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/str.h"

static void add_keys(struct node *keys, const struct where *at)
{
	if (at == NULL)
		return;
	add_keys(keys, at->up);
	node_append(
	    keys, at->key != NULL ? node_string(at->key) : node_int((int64_t)at->index + 1));
}

struct node *where_keys(const struct where *at)
{
	struct node *keys = node_new(NODE_LIST);

	add_keys(keys, at);
	return keys;
}

char *where_keys_path(const struct node *keys)
{
	struct str path = { 0 };

	for (const struct node *k = keys->first; k != NULL; k = k->next) {
		if (k->kind == NODE_INT)
			str_addf(&path, "[%" PRId64 "]", k->integer - 1);
		else
			str_addf(&path, "%s%s", path.length > 0 ? "." : "", k->text);
	}
	return str_take(&path);
}

char *where_path(const struct where *at)
{
	NODE_AUTO struct node *keys = where_keys(at);

	return where_keys_path(keys);
}
