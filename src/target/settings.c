/*
 * Applies KEY=VALUE settings to a merged spec; a key is "cpu.cores", "emulations[0].path" or
 * "emulations.0.path".
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "target/targets_inside.h"

#define INVALID_KEY "invalid key: expected one such as cpu.cores or emulations[0].path"

/* One setting while it is applied. */
struct setting {
	struct node *parts; /* of the key: a name (or an index after a dot), or an index from 0 */
	struct node *path;  /* the keys so far, with indices from 1 */
	char *why;	    /* what is wrong; NULL: nothing */
};

/* Reads digits.  Returns an index from 0, which is -1 where none from 1 is as large. */
static int64_t index_of(const char *digits)
{
	unsigned long long index = strtoull(digits, NULL, 10);

	return index < INT64_MAX ? (int64_t)index : -1;
}

/* Reads "[7]" at the text.  Returns its length, or 0. */
static size_t read_index(const char *text, struct node *parts)
{
	size_t digits = strspn(text + (*text == '[' ? 1 : 0), "0123456789");
	int64_t index;

	if (*text != '[' || digits == 0 || text[1 + digits] != ']')
		return 0;
	index = index_of(text + 1);
	if (index < 0)
		return 0;
	node_append(parts, node_int(index));
	return digits + 2;
}

/* Reads a name at the text, with a dot before it if it is not the first.  Returns its length. */
static size_t read_name(const char *text, struct node *parts)
{
	size_t dot = parts->count > 0 ? 1 : 0, n;

	if (dot > 0 && *text != '.')
		return 0;
	n = strcspn(text + dot, ".[]");
	if (n == 0)
		return 0;
	node_append(parts, node_string_n(text + dot, n));
	return dot + n;
}

/* Returns the parts of a key, or NULL for a malformed key.  Caller frees. */
static struct node *parse(const char *key)
{
	struct node *parts = node_new(NODE_LIST);

	while (*key != '\0') {
		size_t n = read_index(key, parts);

		if (n == 0)
			n = read_name(key, parts);
		if (n == 0)
			break;
		key += n;
	}
	if (*key == '\0' && parts->count > 0 && parts->first->kind == NODE_STRING)
		return parts;
	node_free(parts);
	return NULL;
}

static bool is_list(const struct node *n)
{
	return n->kind == NODE_LIST;
}

/* Returns the child of a key or of an index from 1, or NULL. */
static struct node *child_of(struct node *container, const struct node *key)
{
	struct node *n = container->first;

	if (key->kind == NODE_STRING) {
		while (n != NULL && strcmp(n->key, key->text) != 0)
			n = n->next;
		return n;
	}
	for (int64_t i = 1; n != NULL && i < key->integer; i++)
		n = n->next;
	return n;
}

/*
 * Appends the key, or the index from 1, that a part stands for in a container.  Returns false if
 * the container has no such place.
 */
static bool resolve(struct setting *s, struct node *container, const struct node *part)
{
	MEM_AUTO char *text = where_keys_path(s->path);
	bool is_name = part->kind == NODE_STRING;
	int64_t index = part->integer;

	if (is_name && !is_list(container)) {
		node_append(s->path, node_string(part->text));
		return true;
	}
	if (is_name && strspn(part->text, "0123456789") != part->length) {
		node_append(s->path, node_string(part->text));
		s->why = mem_format("%s is a list: name an entry, as in %s[0]", text, text);
		return false;
	}
	if (is_name)
		index = index_of(part->text);
	node_append(s->path, index < 0 ? node_string(part->text) : node_int(index + 1));
	if (!is_list(container))
		s->why = mem_format("%s is not a list", text);
	else if (index < 0 || (size_t)index >= container->count)
		s->why = mem_format("%s has %zu entries, counted from 0", text, container->count);
	return s->why == NULL;
}

/* Opens the value at the last key of the path, or makes it when it is missing. */
static struct node *open_child(struct setting *s, struct node *container)
{
	const struct node *key = s->path->last;
	struct node *child = child_of(container, key);

	if (child == NULL) {
		child = node_new(NODE_EMPTY);
		container->kind = NODE_OBJECT;
		node_put(container, key->text, child);
	}
	if (node_is_list(child) || node_is_object(child))
		return child;
	MEM_AUTO char *text = where_keys_path(s->path);

	s->why = mem_format("%s is %s and has no keys", text, targets_describe(child));
	return NULL;
}

/* Sets or unsets the value at the last key of the path; takes the value. */
static void assign(struct setting *s, struct node *container, struct node *value)
{
	const struct node *key = s->path->last;

	if (value->kind == NODE_NULL) {
		node_free(value);
		if (key->kind == NODE_STRING)
			node_free(node_take(container, key->text));
		else
			s->why = mem_copy("an entry of a list cannot be unset");
	} else if (key->kind == NODE_STRING) {
		container->kind = NODE_OBJECT;
		node_put(container, key->text, value);
	} else {
		node_replace(container, child_of(container, key), value);
	}
}

/* `cpu = N` is short for a topology of one socket with one core and N threads. */
static void open_cpu(struct node *spec)
{
	const struct node *cpu = node_get(spec, "cpu");
	struct node *topology;

	if (cpu == NULL || (cpu->kind != NODE_INT && cpu->kind != NODE_NUMBER))
		return;
	topology = node_new(NODE_OBJECT);
	node_put(topology, "threads", node_copy(cpu));
	node_put(topology, "cores", node_int(1));
	node_put(topology, "sockets", node_int(1));
	node_put(spec, "cpu", topology);
}

/* Goes to the container of the value; NULL: it is not there. */
static struct node *go(struct setting *s, struct node *spec)
{
	struct node *container = spec;

	for (const struct node *part = s->parts->first; part != NULL; part = part->next) {
		if (part != s->parts->first)
			container = open_child(s, container);
		if (container == NULL) {
			node_append(s->path,
			    part->kind == NODE_STRING ? node_string(part->text)
						      : node_int(part->integer + 1));
			return NULL;
		}
		if (!resolve(s, container, part))
			return NULL;
	}
	return container;
}

/* Applies one setting; takes the value. */
static void set(struct setting *s, struct node *spec, const char *key, struct node *value)
{
	const char *first;
	struct node *container;

	s->parts = parse(key);
	if (s->parts == NULL) {
		node_append(s->path, node_string(key));
		s->why = mem_copy(INVALID_KEY);
		node_free(value);
		return;
	}
	first = s->parts->first->text;
	if (strcmp(first, "targets") == 0 || strcmp(first, "extends") == 0) {
		node_append(s->path, node_string(first));
		s->why = mem_copy("--set changes the merged spec, which has no targets");
		node_free(value);
		return;
	}
	if (strcmp(first, "cpu") == 0 && s->parts->count > 1)
		open_cpu(spec);
	container = go(s, spec);
	if (container != NULL)
		assign(s, container, value);
	else
		node_free(value);
}

/* A new list of devices has none that the base gave or that a target removes. */
static void renew_devices(struct merged *m)
{
	const struct node *list = node_get(m->spec, "emulations");

	m->base_devices = list != NULL && node_is_list(list) ? list->count : 0;
	node_free(m->removed);
	m->removed = node_new(NODE_LIST);
}

static void apply_one(struct merged *m, const char *text, struct node *paths, struct report *report)
{
	const char *equal = strchr(text, '=');
	struct setting s = { .path = node_new(NODE_LIST) };
	struct node *value = json_node(equal + 1);
	MEM_AUTO char *key = mem_copy_n(text, (size_t)(equal - text));

	set(&s, m->spec, key, value != NULL ? value : node_string(equal + 1));
	if (s.why != NULL)
		targets_problem(report, node_copy(s.path), "%s", s.why);
	else if (s.path->count == 1 && strcmp(s.path->first->text, "emulations") == 0)
		renew_devices(m);
	node_append(paths, s.path);
	node_free(s.parts);
	free(s.why);
}

void settings_apply(
    struct merged *m, const struct words *settings, struct node *paths, struct report *report)
{
	for (size_t i = 0; settings != NULL && i < settings->count; i++)
		apply_one(m, settings->item[i], paths, report);
}
