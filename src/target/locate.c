/*
 * Finds where the user wrote a value of the last merge.  The search runs only when a problem has to
 * name the place, therefore merging records the origin of devices only.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "target/overlay.h"
#include "target/targets_inside.h"

/* A value that the base or a target gives for one place, and its path in the document. */
struct given {
	const struct node *value;
	struct node *path;
};

/*
 * The values that the base and the targets give for one place, the base's first, without those that
 * a later target replaced.
 */
struct stack {
	struct given *item;
	size_t count;
};

static void clear(struct stack *s)
{
	for (size_t i = 0; i < s->count; i++)
		node_free(s->item[i].path);
	free(s->item);
	memset(s, 0, sizeof(*s));
}

/* Returns a copy of a path with one more key.  Caller frees. */
static struct node *extend(const struct node *path, const struct node *key)
{
	struct node *longer = node_copy(path);

	node_append(
	    longer, key->kind == NODE_STRING ? node_string(key->text) : node_int(key->integer));
	return longer;
}

/* Returns the value of a key, or of a place from 1 in a list, or NULL. */
static const struct node *child_of(const struct node *container, const struct node *key)
{
	const struct node *n = container->first;

	if (key->kind == NODE_STRING)
		return node_get(container, key->text);
	if (container->kind != NODE_LIST)
		return NULL;
	for (int64_t i = 1; n != NULL && i < key->integer; i++)
		n = n->next;
	return n;
}

/* Adds a value at the end; takes the path. */
static void push(struct stack *s, const struct node *value, struct node *path)
{
	s->item = mem_resize(s->item, s->count + 1, sizeof(*s->item));
	s->item[s->count++] = (struct given){ value, path };
}

static void reverse(struct stack *s)
{
	for (size_t i = 0; i < s->count / 2; i++) {
		struct given first = s->item[i];

		s->item[i] = s->item[s->count - 1 - i];
		s->item[s->count - 1 - i] = first;
	}
}

static const struct node *rules_below(const struct node *rules, const struct node *key)
{
	return key->kind == NODE_STRING ? overlay_rules(rules, key->text) : node_get(rules, "*");
}

/* Returns the stack of the values below a key. */
static struct stack step(
    const struct stack *above, const struct node *key, const struct node *rules)
{
	const struct node *inner = rules_below(rules, key);
	struct stack below = { 0 };

	for (size_t i = above->count; i-- > 0;) {
		const struct node *value = child_of(above->item[i].value, key);
		bool merges = value != NULL && inner != NULL && node_is_object(value);

		if (value == NULL)
			continue;
		if (below.count > 0 && !merges)
			break;
		push(&below, value, extend(above->item[i].path, key));
		if (!merges)
			break;
	}
	reverse(&below);
	return below;
}

/* Returns the path of a layer's table; of the base: an empty one.  Caller frees. */
static struct node *path_of(const struct layer *layer)
{
	return layer == NULL ? node_new(NODE_LIST)
			     : targets_path("targets", layer->target->name, NULL);
}

/* Adds an entry of the emulations of a layer.  Returns false if it is not there. */
static bool push_entry(
    struct stack *s, const struct targets *t, const struct layer *layer, size_t entry)
{
	const struct node *table = layer == NULL ? t->document : layer->target->table;
	const struct node *list = node_get(table, "emulations");
	NODE_AUTO struct node *place = node_int((int64_t)entry);
	const struct node *value = list == NULL ? NULL : child_of(list, place);
	struct node *path;

	if (value == NULL)
		return false;
	path = path_of(layer);
	node_append(path, node_string("emulations"));
	node_append(path, node_int((int64_t)entry));
	push(s, value, path);
	return true;
}

/* Returns the stack of one device: its entry and the entries of targets that changed it. */
static struct stack device_stack(const struct targets *t, int64_t place)
{
	const struct layer *top = t->last.top;
	const struct devices *d = top == NULL ? &t->base->devices : &top->view->devices;
	size_t index = (size_t)place - 1;
	bool is_there = true;
	struct stack s = { 0 };

	for (const struct origin *o = index < d->count ? d->entry[index].origin : NULL;
	     o != NULL && is_there; o = o->before)
		is_there = push_entry(&s, t, o->layer, o->entry);
	if (is_there && (index < d->base || index >= d->count))
		is_there = push_entry(&s, t, NULL, index + 1);
	if (!is_there)
		clear(&s);
	reverse(&s);
	return s;
}

/*
 * Returns the lowest value of the key.  A problem of the whole list of devices is reported where
 * the list begins, because the lists of the base and the targets are concatenated.
 */
static struct stack lowest(const struct stack *above, const struct node *key)
{
	struct stack s = { 0 };

	for (size_t i = 0; i < above->count && s.count == 0; i++) {
		const struct node *value = child_of(above->item[i].value, key);

		if (value != NULL && value->kind != NODE_NULL)
			push(&s, value, extend(above->item[i].path, key));
	}
	return s;
}

/* Returns the stack of the whole document: the base and the layers up to a top one. */
static struct stack whole(const struct targets *t, const struct layer *top)
{
	size_t count;
	const struct layer **list = layers_list(top, &count);
	struct stack s = { 0 };

	push(&s, t->document, node_new(NODE_LIST));
	for (size_t i = 0; i < count; i++)
		push(&s, list[i]->target->table, path_of(list[i]));
	free(list);
	return s;
}

static bool is_key(const struct node *key, const char *text)
{
	return key != NULL && key->kind == NODE_STRING && strcmp(key->text, text) == 0;
}

/*
 * Returns the path in the document, and the number of the keys that it covers.  The path of a
 * missing key is that of its container.  Caller frees.
 */
static struct node *in_file(const struct targets *t, const struct node *keys, size_t *depth)
{
	const struct node *first = keys->first, *rules = t->rules;
	bool is_original =
	    is_key(first, "name") || is_key(first, "targets") || is_key(first, "extends");
	struct stack stack = whole(t, is_original ? NULL : t->last.top);
	struct node *path = node_copy(stack.item[0].path);

	*depth = 0;
	if (is_original)
		rules = NULL;
	for (const struct node *key = first; key != NULL; key = key->next) {
		struct stack below;

		if (*depth == 0 && is_key(key, "emulations"))
			below = lowest(&stack, key);
		else if (*depth == 1 && is_key(first, "emulations") && t->last.is_merged &&
		    key->kind == NODE_INT)
			below = device_stack(t, key->integer);
		else
			below = step(&stack, key, rules);
		rules = rules_below(rules, key);
		clear(&stack);
		stack = below;
		if (stack.count == 0)
			break;
		node_free(path);
		path = node_copy(stack.item[0].path);
		++*depth;
	}
	clear(&stack);
	return path;
}

/* Returns the number of keys that two paths have in common from the start. */
static size_t common(const struct node *a, const struct node *b)
{
	const struct node *x = a->first, *y = b->first;
	size_t count = 0;

	for (; x != NULL && y != NULL; x = x->next, y = y->next, count++) {
		if (x->kind != y->kind ||
		    (x->kind == NODE_STRING ? strcmp(x->text, y->text) != 0
					    : x->integer != y->integer))
			break;
	}
	return count;
}

enum targets_origin targets_locate(
    const struct targets *t, const struct node *keys, struct node **path)
{
	const struct node *set = t->last.set == NULL ? NULL : t->last.set->first;
	const struct node *whole_setting = NULL, *part_setting = NULL;
	size_t depth;

	if (t->last.replaced != NULL) {
		*path = node_copy(keys);
		return ORIGIN_HOOK;
	}
	*path = in_file(t, keys, &depth);
	for (; set != NULL; set = set->next) { /* the last one counts */
		size_t same = common(set, keys);

		if (same == set->count)
			whole_setting = set;
		else if (depth < keys->count && same > depth)
			part_setting = set; /* a value that exists only because of a setting */
	}
	if (whole_setting == NULL)
		whole_setting = part_setting;
	if (whole_setting == NULL)
		return ORIGIN_FILE;
	node_free(*path);
	*path = node_copy(whole_setting);
	return ORIGIN_SETTING;
}
