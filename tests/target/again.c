/* Another implementation of the rules of targets, in C and with copies. */
#include "again.h"

#include <stdio.h>
#include <string.h>

static const struct node *below(const struct node *rules, const char *key)
{
	return node_get(rules, key);
}

static bool is_object(const struct node *n)
{
	return n != NULL && node_is_object(n);
}

static struct node *without_nulls(const struct node *n, const struct node *rules)
{
	struct node *copy = node_new(NODE_OBJECT);

	for (const struct node *c = n->first; c != NULL; c = c->next) {
		if (c->kind == NODE_NULL)
			continue;
		node_put(copy, c->key,
		    is_object(c) && below(rules, c->key) != NULL
			? without_nulls(c, below(rules, c->key))
			: node_copy(c));
	}
	return copy;
}

static void lay(struct node *into, const struct node *above, const struct node *rules)
{
	for (const struct node *c = above->first; c != NULL; c = c->next) {
		const struct node *deeper = below(rules, c->key);
		struct node *old = node_take(into, c->key);

		if (c->kind == NODE_NULL) {
			node_free(old);
		} else if (deeper != NULL && is_object(c) && is_object(old)) {
			/* An empty table is an object here. */
			old->kind = NODE_OBJECT;
			lay(old, c, deeper);
			node_put(into, c->key, old);
		} else {
			node_free(old);
			node_put(into, c->key,
			    deeper != NULL && is_object(c) ? without_nulls(c, deeper)
							   : node_copy(c));
		}
	}
}

struct boot {
	const struct node *spec, *rules;
	struct node *merged;
	struct node *devices[64];
	bool removed[64];
	size_t count;
	size_t problems;
	bool done[AGAIN_TARGETS];
	size_t before; /* devices when the list of the present target began */
};

static bool has_id(const struct boot *b, size_t place, const char *id)
{
	const char *own = node_get_text(b->devices[place], "id");
	char name[32];

	if (own != NULL)
		return strcmp(own, id) == 0;
	(void)snprintf(name, sizeof(name), "m-%zu", place); /* there is one model */
	return strcmp(name, id) == 0;
}

/* Returns the number of keys that an entry which removes a device cannot have. */
static size_t idle_keys(const struct node *entry)
{
	size_t count = entry->count - 1;

	count -= node_get(entry, "id") != NULL ? 1 : 0;
	return count - (node_get(entry, "device") != NULL ? 1 : 0);
}

static void lay_device(struct boot *b, const struct node *entry)
{
	const char *id = node_get_text(entry, "id");
	const struct node *remove = node_get(entry, "remove");
	size_t place = 0;
	struct node *copy;

	while (place < b->count && (id == NULL || !has_id(b, place, id)))
		place++;
	if (remove != NULL && remove->truth) {
		if (place < b->count && idle_keys(entry) == 0)
			b->removed[place] = true;
		else
			b->problems += place < b->count ? idle_keys(entry) : 1;
		return;
	}
	if (place < b->count && place >= b->before && node_get(entry, "device") != NULL) {
		b->problems++;
		return;
	}
	copy = without_nulls(entry, NULL);
	node_free(node_take(copy, "remove"));
	if (place == b->count) {
		b->devices[b->count++] = copy;
		return;
	}
	node_free(copy);
	copy = node_copy(entry);
	node_free(node_take(copy, "remove"));
	lay(b->devices[place], copy, NULL);
	b->removed[place] = false;
	node_free(copy);
}

static void lay_target(struct boot *b, unsigned number)
{
	char name[8];
	const struct node *target, *list;
	struct node *own;

	if (b->done[number])
		return;
	b->done[number] = true;
	(void)snprintf(name, sizeof(name), "t%u", number);
	target = node_get(node_get(b->spec, "targets"), name);
	list = node_get(target, "extends");
	for (const struct node *n = list == NULL ? NULL : list->first; n != NULL; n = n->next)
		lay_target(b, (unsigned)(n->text[1] - '0'));
	own = node_copy(target);
	own->kind = NODE_OBJECT;
	node_free(node_take(own, "extends"));
	node_free(node_take(own, "emulations"));
	lay(b->merged, own, b->rules);
	node_free(own);
	list = node_get(target, "emulations");
	b->before = b->count;
	for (const struct node *n = list == NULL ? NULL : list->first; n != NULL; n = n->next)
		lay_device(b, n);
}

struct node *merge_again(const struct node *spec, const struct node *rules, int number)
{
	struct boot b = { .spec = spec, .rules = rules, .merged = without_nulls(spec, rules) };
	struct node *answer = node_new(NODE_OBJECT), *list = node_new(NODE_LIST);
	struct node *removed = node_new(NODE_LIST);
	const struct node *base = node_get(spec, "emulations");

	node_free(node_take(b.merged, "targets"));
	for (const struct node *n = base->first; n != NULL; n = n->next)
		b.devices[b.count++] = without_nulls(n, NULL);
	if (number >= 0)
		lay_target(&b, (unsigned)number);
	for (size_t i = 0; i < b.count; i++) {
		node_append(list, b.devices[i]);
		if (b.removed[i])
			node_append(removed, node_int((int64_t)i + 1));
	}
	node_put(b.merged, "emulations", list);
	node_put(answer, "base_devices", node_int((int64_t)base->count));
	node_put(answer, "problems", node_int((int64_t)b.problems));
	node_put(answer, "removed", removed);
	node_put(answer, "spec", b.merged);
	return answer;
}
