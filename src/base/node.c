/* A document as plain C values. */
#include "base/node.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct node *node_new(enum node_kind kind)
{
	struct node *n = mem_zero(sizeof(*n));

	n->kind = kind;
	return n;
}

static char *behind(struct node *n)
{
	return (char *)(n + 1);
}

struct node *node_string_n(const char *bytes, size_t n)
{
	struct node *s = mem_zero(sizeof(*s) + n + 1);

	s->kind = NODE_STRING;
	s->text = memcpy(behind(s), bytes, n);
	s->length = n;
	return s;
}

struct node *node_string(const char *text)
{
	return node_string_n(text, strlen(text));
}

struct node *node_int(int64_t value)
{
	struct node *n = node_new(NODE_INT);

	n->integer = value;
	return n;
}

struct node *node_number(double value)
{
	struct node *n = node_new(NODE_NUMBER);

	n->number = value;
	return n;
}

struct node *node_bool(bool value)
{
	struct node *n = node_new(NODE_BOOL);

	n->truth = value;
	return n;
}

static void drop_key(struct node *n)
{
	if (n->key != n->short_key)
		free(n->key);
}

void node_name(struct node *n, const char *key)
{
	size_t size = strlen(key) + 1;
	char *copy = n->short_key;

	if (size <= sizeof(n->short_key))
		memmove(copy, key, size); /* key may be a part of it */
	else
		copy = mem_copy_n(key, size - 1);
	drop_key(n);
	n->key = copy;
}

void node_unname(struct node *n)
{
	drop_key(n);
	n->key = NULL;
}

void node_append(struct node *list, struct node *child)
{
	child->next = NULL;
	if (list->last == NULL)
		list->first = child;
	else
		list->last->next = child;
	list->last = child;
	list->count++;
}

/* Puts a child into its place before the last one, or into that of a child with the same key. */
static void insert(struct node *object, struct node *child)
{
	struct node **at = &object->first;
	int order;

	while ((order = strcmp((*at)->key, child->key)) < 0)
		at = &(*at)->next;
	if (order == 0) {
		node_replace(object, *at, child);
		return;
	}
	child->next = *at;
	*at = child;
	object->count++;
}

void node_put(struct node *object, const char *key, struct node *child)
{
	node_name(child, key);
	/* Keys mostly arrive sorted: a search from the start would be slow for a large object. */
	if (object->last == NULL || strcmp(object->last->key, child->key) < 0)
		node_append(object, child);
	else
		insert(object, child);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(struct node *const *)a)->key, (*(struct node *const *)b)->key);
}

static bool is_sorted(const struct node *object)
{
	for (const struct node *n = object->first; n != NULL && n->next != NULL; n = n->next) {
		if (strcmp(n->key, n->next->key) > 0)
			return false;
	}
	return true;
}

void node_sort(struct node *object)
{
	struct node **all;
	size_t count = 0;

	if (is_sorted(object))
		return;
	all = mem_resize(NULL, object->count, sizeof(struct node *));
	for (struct node *n = object->first; n != NULL; n = n->next)
		all[count++] = n;
	qsort(all, count, sizeof(struct node *), compare_keys);
	object->first = object->last = NULL;
	object->count = 0;
	for (size_t i = 0; i < count; i++)
		node_append(object, all[i]);
	free(all);
}

const struct node *node_get(const struct node *object, const char *key)
{
	if (object == NULL || object->kind != NODE_OBJECT)
		return NULL;
	for (const struct node *n = object->first; n != NULL; n = n->next) {
		if (n->key[0] == key[0] && strcmp(n->key, key) == 0)
			return n;
	}
	return NULL;
}

const char *node_get_text(const struct node *object, const char *key)
{
	const struct node *n = node_get(object, key);

	return n != NULL && n->kind == NODE_STRING ? n->text : NULL;
}

struct node *node_take(struct node *object, const char *key)
{
	struct node *before = NULL;

	if (object == NULL || object->kind != NODE_OBJECT)
		return NULL;
	for (struct node *n = object->first; n != NULL; before = n, n = n->next) {
		if (strcmp(n->key, key) != 0)
			continue;
		if (before == NULL)
			object->first = n->next;
		else
			before->next = n->next;
		if (object->last == n)
			object->last = before;
		object->count--;
		n->next = NULL;
		return n;
	}
	return NULL;
}

void node_replace(struct node *parent, struct node *child, struct node *value)
{
	struct node **at = &parent->first;

	while (*at != child)
		at = &(*at)->next;
	*at = value;
	if (parent->last == child)
		parent->last = value;
	value->next = child->next;
	if (child->key != NULL)
		node_name(value, child->key);
	else
		node_unname(value);
	node_free(child);
}

struct node *node_copy(const struct node *n)
{
	struct node *copy;

	if (n == NULL)
		return NULL;
	if (n->kind == NODE_STRING)
		return node_string_n(n->text, n->length);
	copy = node_new(n->kind);
	copy->truth = n->truth;
	copy->has_minus = n->has_minus;
	copy->integer = n->integer;
	copy->number = n->number;
	copy->length = n->length;
	if (n->text != NULL)
		copy->text = mem_copy(n->text);
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		struct node *child = node_copy(c);

		if (c->key != NULL)
			node_name(child, c->key);
		node_append(copy, child);
	}
	return copy;
}

struct node *node_lend(const struct node *n, char *key)
{
	struct node *lent = mem_resize(NULL, 1, sizeof(*lent));

	*lent = *n;
	lent->is_lent = true;
	lent->key = key;
	lent->next = NULL;
	return lent;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Returns whether two values are the same, without their children. */
static bool is_same_value(const struct node *a, const struct node *b)
{
	if (a->kind != b->kind || a->count != b->count || !is_same_text(a->key, b->key))
		return false;
	if (a->kind == NODE_STRING)
		return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
	return a->truth == b->truth && a->integer == b->integer && a->number == b->number &&
	    is_same_text(a->text, b->text);
}

bool node_equal(const struct node *a, const struct node *b)
{
	const struct node *x = a->first, *y = b->first;

	if (!is_same_value(a, b))
		return false;
	for (; x != NULL; x = x->next, y = y->next) {
		if (!node_equal(x, y))
			return false;
	}
	return true;
}

bool node_is_list(const struct node *n)
{
	return n->kind == NODE_LIST || n->kind == NODE_EMPTY;
}

bool node_is_object(const struct node *n)
{
	return n->kind == NODE_OBJECT || n->kind == NODE_EMPTY;
}

const char *node_kind_name(const struct node *n)
{
	static const char *const names[] = {
		[NODE_NULL] = "null",
		[NODE_BOOL] = "a boolean",
		[NODE_INT] = "an integer",
		[NODE_NUMBER] = "a number that is not an integer",
		[NODE_STRING] = "a string",
		[NODE_LIST] = "a list",
		[NODE_OBJECT] = "an object",
		[NODE_EMPTY] = "an empty table",
		[NODE_FUNCTION] = "a function",
		[NODE_OTHER] = "", /* named by its text */
	};

	_Static_assert(sizeof(names) / sizeof(*names) == NODE_KINDS, "a name for each kind");

	if (n->kind == NODE_NUMBER && n->text != NULL)
		return "an integer that is too large";
	return n->kind == NODE_OTHER ? n->text : names[n->kind];
}

void node_free(struct node *n)
{
	if (n == NULL)
		return;
	/* script/values.c limits the depth of documents: the recursion is shallow. */
	for (struct node *child = n->is_lent ? NULL : n->first, *next; child != NULL;
	     child = next) {
		next = child->next;
		node_free(child);
	}
	if (!n->is_lent) {
		if (n->text != behind(n))
			free(n->text);
		drop_key(n);
	}
	free(n);
}

void node_free_at(struct node **n)
{
	node_free(*n);
}
