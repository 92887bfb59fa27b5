/*
 * Applies KEY=VALUE settings to a merged spec; a key is "cpu.cores", "emulations[0].path" or
 * "emulations.0.path".  An entry of a list may be one that only some targets have: the setting
 * holds in those.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "target/targets_inside.h"

#define INVALID_KEY "invalid key: expected one such as cpu.cores or emulations[0].path"

/* One setting while it is applied. */
struct setting {
	struct node *parts;   /* of the key: a name (or an index after a dot), or an index from 0 */
	struct node *path;    /* the keys so far, with indices from 1 */
	char *why;	      /* what is wrong; NULL: nothing */
	bool lacks_place;     /* what is wrong is the spec, which has no such entry */
	struct node *made_in; /* where the first missing container was made; NULL: nowhere */
	const char *made;     /* its key */
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
	s->lacks_place = s->why != NULL;
	return s->why == NULL;
}

/* Opens the value at the last key of the path, or makes it when it is missing. */
static struct node *open_child(struct setting *s, struct node *container)
{
	const struct node *key = s->path->last;
	struct node *child = child_of(container, key);

	if (child == NULL) {
		child = node_new(NODE_EMPTY);
		if (s->made_in == NULL) {
			s->made_in = container;
			s->made = key->text;
		}
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

/* Applies one setting.  setting_clear() is due afterwards. */
static struct setting apply(struct merged *m, const char *text)
{
	const char *equal = strchr(text, '=');
	struct setting s = { .path = node_new(NODE_LIST) };
	struct node *value = json_node(equal + 1);
	MEM_AUTO char *key = mem_copy_n(text, (size_t)(equal - text));

	set(&s, m->spec, key, value != NULL ? value : node_string(equal + 1));
	if (s.lacks_place && s.made_in != NULL)
		node_free(node_take(s.made_in, s.made));
	return s;
}

static void setting_clear(struct setting *s)
{
	node_free(s->parts);
	node_free(s->path);
	free(s->why);
}

/* Returns whether the last of the settings has a place in the spec of a target. */
static bool has_place_in(
    struct targets *t, const char *target, const struct words *settings, size_t last)
{
	REPORT_AUTO struct report ignored = { 0 };
	size_t refused = t->refused;
	bool has_place = true;
	struct merged m;

	merge_own(t, merge_view(t, layers_top(t, target, &ignored)), &m);
	t->refused = refused; /* what was ignored here is reported when that target is merged */
	for (size_t i = 0; i <= last; i++) {
		struct setting s = apply(&m, settings->item[i]);

		has_place = !s.lacks_place;
		setting_clear(&s);
	}
	merged_clear(&m);
	return has_place;
}

/* Returns whether any target has a place for a setting; looks for it once. */
static bool has_place(struct targets *t, const struct words *settings, size_t which)
{
	if (!words_equal(&t->placed_of, settings)) {
		words_truncate(&t->placed_of, 0);
		words_append(&t->placed_of, settings);
		free(t->placed);
		t->placed = mem_zero(settings->count * sizeof(*t->placed));
	}
	if (t->placed[which] != PLACE_UNKNOWN)
		return t->placed[which] == PLACE_FOUND;
	t->placed[which] = PLACE_MISSING;
	for (size_t i = 0; i < t->names.count; i++) {
		if (has_place_in(t, t->names.item[i], settings, which)) {
			t->placed[which] = PLACE_FOUND;
			return true;
		}
	}
	return false;
}

void settings_apply(struct targets *t, struct merged *m, const struct words *settings,
    struct node *paths, struct report *report)
{
	for (size_t i = 0; i < settings->count; i++) {
		struct setting s = apply(m, settings->item[i]);
		bool is_for_others = s.lacks_place && has_place(t, settings, i);

		if (s.why != NULL && !is_for_others)
			targets_problem(report, node_copy(s.path), "%s", s.why);
		else if (s.path->count == 1 && strcmp(s.path->first->text, "emulations") == 0)
			renew_devices(m);
		if (!is_for_others)
			node_append(paths, node_copy(s.path));
		setting_clear(&s);
	}
}
