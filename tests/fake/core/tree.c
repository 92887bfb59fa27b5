/* The configuration tree: nodes and values in the order of their setting. Opens nothing. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_DEPTH = 15,
	/* Not bhyve's: fifteen levels of values that name each other twice fill any memory. */
	MAX_EXPANSION = 1 << 20,
};

struct fake_node {
	char *name;
	char *value; /* NULL: a node */
	struct fake_node *parent, *first, *next;
};

struct text {
	char *at;
	size_t length, room;
};

static void *or_abort(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

char *fk_copy_text(const char *text, size_t length)
{
	char *copy = or_abort(malloc(length + 1));

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *fk_join(const char *first, const char *between, const char *second)
{
	size_t room = strlen(first) + strlen(between) + strlen(second) + 1;
	char *text = or_abort(malloc(room));

	(void)snprintf(text, room, "%s%s%s", first, between, second);
	return text;
}

struct fake_node *fk_node_child(const struct fake_node *node, const char *name)
{
	struct fake_node *child;

	for (child = node->first; child != NULL; child = child->next)
		if (strcmp(child->name, name) == 0)
			return child;
	return NULL;
}

struct fake_node *fk_node_first(const struct fake_node *node)
{
	return node->first;
}

struct fake_node *fk_node_next(const struct fake_node *node)
{
	return node->next;
}

const char *fk_node_name(const struct fake_node *node)
{
	return node->name;
}

bool fk_node_is_value(const struct fake_node *node)
{
	return node->value != NULL;
}

static struct fake_node *append(struct fake_node *parent, const char *name, const char *value)
{
	struct fake_node *child = or_abort(calloc(1, sizeof(*child)));
	struct fake_node **end;

	child->name = fk_copy_text(name, strlen(name));
	child->value = value == NULL ? NULL : fk_copy_text(value, strlen(value));
	child->parent = parent;
	for (end = &parent->first; *end != NULL; end = &(*end)->next)
		;
	*end = child;
	return child;
}

/* For a node without children. */
static void free_node(struct fake_node *node)
{
	free(node->name);
	free(node->value);
	free(node);
}

static void drop(struct fake_node *parent, struct fake_node *child)
{
	struct fake_node **link = &parent->first;

	while (*link != child)
		link = &(*link)->next;
	*link = child->next;
	free_node(child);
}

struct fake_node *fk_node_at(struct fake_node *from, const char *path, bool make)
{
	struct fake_node *node = from, *child;

	for (;;) {
		size_t length = strcspn(path, ".");
		char *name = fk_copy_text(path, length);

		child = length == 0 ? NULL : fk_node_child(node, name);
		if (child == NULL && length != 0 && make)
			child = append(node, name, NULL);
		free(name);
		if (child == NULL || child->value != NULL)
			return NULL;
		node = child;
		if (path[length] == '\0')
			return node;
		path += length + 1;
	}
}

/* A value that is set again goes to the end, for bhyve deletes and adds it. */
bool fk_node_set(struct fake_node *node, const char *name, const char *value)
{
	struct fake_node *child = fk_node_child(node, name);
	char *copy;

	if (strchr(name, '.') != NULL || (child != NULL && child->value == NULL))
		return false;
	copy = fk_copy_text(value, strlen(value)); /* it may be the old value itself */
	if (child != NULL)
		drop(node, child);
	append(node, name, copy);
	free(copy);
	return true;
}

const char *fk_node_get(const struct fake_node *node, const char *name)
{
	const struct fake_node *child = fk_node_child(node, name);

	return child == NULL ? NULL : child->value;
}

void fake_tree_init(struct fake_tree *tree)
{
	tree->root = or_abort(calloc(1, sizeof(*tree->root)));
	tree->root->name = fk_copy_text("", 0);
	tree->kept = NULL;
	tree->n_kept = 0;
}

/* Without recursion: a key may have as many components as an argument has bytes. */
void fake_tree_fini(struct fake_tree *tree)
{
	struct fake_node *node = tree->root, *up;
	size_t i;

	while (node != NULL) {
		if (node->first != NULL) {
			node = node->first;
			continue;
		}
		up = node->parent;
		if (up != NULL)
			up->first = node->next;
		free_node(node);
		node = up;
	}
	for (i = 0; i < tree->n_kept; i++)
		free(tree->kept[i]);
	free(tree->kept);
	memset(tree, 0, sizeof(*tree));
}

const char *fake_tree_get(const struct fake_tree *tree, const char *path)
{
	const char *name = strrchr(path, '.');
	const struct fake_node *node = tree->root;
	char *above;

	if (name == NULL)
		return fk_node_get(node, path);
	above = fk_copy_text(path, (size_t)(name - path));
	node = fk_node_at(tree->root, above, false);
	free(above);
	return node == NULL ? NULL : fk_node_get(node, name + 1);
}

static void add(struct text *to, const char *text, size_t length)
{
	if (to->length + length + 1 > to->room) {
		to->room = 2 * (to->length + length) + 64;
		to->at = or_abort(realloc(to->at, to->room));
	}
	memcpy(to->at + to->length, text, length);
	to->length += length;
	to->at[to->length] = '\0';
}

static void complain(FILE *warn, const char *what, const char *about)
{
	if (warn != NULL)
		fprintf(warn, "bhyve: %s in a configuration value: %.60s\n", what, about);
}

static void expand(
    struct text *to, const struct fake_tree *tree, const char *at, int depth, FILE *warn);

/* At a `%`: returns what follows the reference, or what follows the `%` if there is none. */
static const char *expand_reference(
    struct text *to, const struct fake_tree *tree, const char *at, int depth, FILE *warn)
{
	const char *end = at[1] == '(' && at[2] != '\0' ? strchr(at + 2, ')') : NULL;
	const char *value;
	char *path;

	if (depth > MAX_DEPTH || to->length > MAX_EXPANSION || end == NULL) {
		complain(warn, end == NULL ? "no reference" : "too deep a reference", at);
		add(to, "%", 1);
		return at + 1;
	}
	path = fk_copy_text(at + 2, (size_t)(end - at - 2));
	value = path[0] == '\0' ? NULL : fake_tree_get(tree, path);
	if (value == NULL)
		complain(warn, "unknown variable", path);
	else
		expand(to, tree, value, depth + 1, warn);
	free(path);
	return end + 1;
}

/*
 * bhyve_config(5) has `%%` for a percent sign; the code has `\%` and leaves `%%` as it is.  So has
 * this.
 */
static void expand(
    struct text *to, const struct fake_tree *tree, const char *at, int depth, FILE *warn)
{
	while (*at != '\0') {
		if (*at == '%') {
			at = expand_reference(to, tree, at, depth, warn);
			continue;
		}
		if (*at == '\\' && *++at == '\0') {
			complain(warn, "backslash at the end", "\\");
			return;
		}
		add(to, at++, 1);
	}
}

/* A text without `%` is taken as it is, backslashes too. */
const char *fk_tree_expand_text(struct fake_tree *tree, const char *text, FILE *warn)
{
	struct text to = { NULL, 0, 0 };

	if (strchr(text, '%') == NULL)
		return text;
	add(&to, "", 0);
	expand(&to, tree, text, 0, warn);
	tree->kept = or_abort(realloc(tree->kept, (tree->n_kept + 1) * sizeof(*tree->kept)));
	tree->kept[tree->n_kept++] = to.at;
	return to.at;
}

const char *fake_tree_expand(struct fake_tree *tree, const char *path, FILE *warn)
{
	const char *value = fake_tree_get(tree, path);

	return value == NULL ? NULL : fk_tree_expand_text(tree, value, warn);
}

static void print_line(const struct fake_node *leaf, FILE *to)
{
	const struct fake_node **way, *node;
	size_t depth = 0, i = 0;

	for (node = leaf; node->parent != NULL; node = node->parent)
		depth++;
	way = or_abort(calloc(depth, sizeof(*way)));
	for (node = leaf; node->parent != NULL; node = node->parent)
		way[i++] = node;
	while (i > 0) {
		i--;
		fprintf(to, "%s%s", way[i]->name, i == 0 ? "=" : ".");
	}
	fprintf(to, "%s\n", leaf->value);
	free(way);
}

void fake_tree_dump(const struct fake_tree *tree, FILE *to)
{
	const struct fake_node *node = tree->root->first;

	while (node != NULL) {
		if (node->value != NULL)
			print_line(node, to);
		if (node->first != NULL) {
			node = node->first;
			continue;
		}
		while (node != NULL && node->next == NULL)
			node = node->parent;
		if (node != NULL)
			node = node->next;
	}
}
