/* The rule of merging, for one value. */
#include "target/overlay.h"

#include <string.h>

#include "base/mem.h"

const struct node *overlay_rules(const struct node *rules, const char *key)
{
	const struct node *own = node_get(rules, key);

	return own != NULL ? own : node_get(rules, "*");
}

bool overlay_is_clean(const struct node *value, const struct node *rules)
{
	if (value->kind != NODE_OBJECT)
		return true;
	for (const struct node *n = value->first; n != NULL; n = n->next) {
		const struct node *inner = overlay_rules(rules, n->key);

		if (n->kind == NODE_NULL || (inner != NULL && !overlay_is_clean(n, inner)))
			return false;
	}
	return true;
}

/* Appends the child to an object whose last key is before this one. */
static void append(struct node *object, const char *key, struct node *child)
{
	node_name(child, key);
	node_append(object, child);
}

/* An object that has lost all keys is an empty table, as in Lua: a list and an object at once. */
static struct node *end_object(struct node *object)
{
	if (object->count == 0)
		object->kind = NODE_EMPTY;
	return object;
}

struct node *overlay_clean(const struct node *value, const struct node *rules)
{
	struct node *copy;

	if (overlay_is_clean(value, rules))
		return node_copy(value);
	copy = node_new(NODE_OBJECT);
	for (const struct node *n = value->first; n != NULL; n = n->next) {
		const struct node *inner = overlay_rules(rules, n->key);

		if (n->kind != NODE_NULL)
			append(
			    copy, n->key, inner == NULL ? node_copy(n) : overlay_clean(n, inner));
	}
	return end_object(copy);
}

/* Returns the value of a key of which both objects may have one, or NULL if it is unset. */
static struct node *merge_key(
    const struct node *below, const struct node *above, const struct node *rules)
{
	const struct node *inner;

	if (above == NULL)
		return node_copy(below);
	inner = overlay_rules(rules, above->key);
	if (above->kind == NODE_NULL)
		return NULL;
	return inner == NULL ? node_copy(above) : overlay(below, above, inner);
}

struct node *overlay(const struct node *below, const struct node *above, const struct node *rules)
{
	const struct node *b, *a;
	struct node *result;

	if (!node_is_object(above))
		return node_copy(above);
	if (below == NULL || !node_is_object(below))
		return overlay_clean(above, rules);
	result = node_new(NODE_OBJECT);
	/* The keys of both are sorted. */
	for (b = below->first, a = above->first; b != NULL || a != NULL;) {
		int order = b == NULL ? 1 : a == NULL ? -1 : strcmp(b->key, a->key);
		const struct node *under = order <= 0 ? b : NULL, *over = order >= 0 ? a : NULL;
		struct node *value = merge_key(under, over, rules);

		if (value != NULL)
			append(result, under != NULL ? under->key : over->key, value);
		b = under != NULL ? b->next : b;
		a = over != NULL ? a->next : a;
	}
	return end_object(result);
}
