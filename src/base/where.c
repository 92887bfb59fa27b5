/* Places in a document. */
#include "base/where.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_PATH_KEY 100 /* bytes of a key in a path */

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

/* Adds a key, cut if it is longer than any key that vmrun knows. */
static void add_key(struct str *path, const char *key)
{
	if (path->length > 0)
		str_add(path, ".");
	if (strlen(key) <= MAX_PATH_KEY)
		str_add(path, key);
	else
		str_add_line(path, key, MAX_PATH_KEY);
}

char *where_keys_path(const struct node *keys)
{
	struct str path = { 0 };

	for (const struct node *k = keys->first; k != NULL; k = k->next) {
		if (k->kind == NODE_INT)
			str_addf(&path, "[%" PRId64 "]", k->integer - 1);
		else
			add_key(&path, k->text);
	}
	return str_take(&path);
}

char *where_path(const struct where *at)
{
	NODE_AUTO struct node *keys = where_keys(at);

	return where_keys_path(keys);
}
