/* Reads a JSON text into nodes. */
#include "config/json_read.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_node.h"
#include "base/mem.h"
#include "base/str.h"

/* An open container. */
struct level {
	bool is_object;
	char *key;	   /* of the member that is being read */
	bool is_lent;	   /* the key belongs to the member's node */
	size_t index;	   /* of the entry that is being read, from 1; 0 before the first */
	size_t serial;	   /* unique for every object of the document */
	struct node *node; /* the container, while nodes are made */
};

/* A walk over a document by json_next() that tracks the path. */
struct walk {
	struct json json;
	struct level level[MAX_JSON_DEPTH];
	int depth;
	size_t objects;
};

/* The keys of all objects so far: a hash table, so that huge objects take linear time. */
struct seen {
	struct entry {
		const char *key; /* lent by the level, then by the node */
		size_t serial;
	} * entry;
	size_t count, room; /* room is a power of two */
};

static size_t hash_key(const char *key, size_t serial)
{
	uint64_t h = 14695981039346656037u ^ serial;

	for (const char *p = key; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return (size_t)(h ^ h >> 29);
}

static struct entry *find_entry(const struct seen *seen, const char *key, size_t serial)
{
	size_t i = hash_key(key, serial) & (seen->room - 1);

	while (seen->entry[i].key != NULL &&
	    (seen->entry[i].serial != serial || strcmp(seen->entry[i].key, key) != 0))
		i = (i + 1) & (seen->room - 1);
	return &seen->entry[i];
}

static void grow(struct seen *seen)
{
	struct seen bigger = { .room = seen->room == 0 ? 64 : 2 * seen->room };

	bigger.entry = mem_zero(bigger.room * sizeof(*bigger.entry));
	bigger.count = seen->count;
	for (size_t i = 0; i < seen->room; i++) {
		if (seen->entry[i].key != NULL)
			*find_entry(&bigger, seen->entry[i].key, seen->entry[i].serial) =
			    seen->entry[i];
	}
	free(seen->entry);
	*seen = bigger;
}

/* Adds a key.  Returns false if the object has it already. */
static bool add_seen(struct seen *seen, const char *key, size_t serial)
{
	struct entry *e;

	if (2 * (seen->count + 1) > seen->room)
		grow(seen);
	e = find_entry(seen, key, serial);
	if (e->key != NULL)
		return false;
	*e = (struct entry){ key, serial };
	seen->count++;
	return true;
}

static struct level *top(struct walk *w)
{
	return w->depth == 0 ? NULL : &w->level[w->depth - 1];
}

static void drop_key(struct level *l)
{
	if (!l->is_lent)
		free(l->key);
	l->key = NULL;
	l->is_lent = false;
}

static void close_level(struct walk *w)
{
	struct level *l = top(w);

	drop_key(l);
	memset(l, 0, sizeof(*l));
	w->depth--;
}

static void end_walk(struct walk *w)
{
	while (w->depth > 0)
		close_level(w);
}

static bool begins_value(enum json_type type)
{
	return type != JSON_KEY && type != JSON_OBJECT_END && type != JSON_LIST_END &&
	    type != JSON_END && type != JSON_ERROR;
}

/* Reads the next token and tracks the path.  The caller enters an opened container. */
static enum json_type step(struct walk *w, struct json_token *token)
{
	enum json_type type = json_next(&w->json, token);
	struct level *l = top(w);

	if (type == JSON_KEY) {
		drop_key(l);
		l->key = json_text(&w->json, token, NULL);
	} else if (begins_value(type) && l != NULL && !l->is_object) {
		l->index++;
	}
	return type;
}

static void enter(struct walk *w, bool is_object)
{
	struct level *l = &w->level[w->depth++];

	memset(l, 0, sizeof(*l));
	l->is_object = is_object;
	l->serial = ++w->objects;
}

static struct node *path_of(const struct walk *w)
{
	struct node *path = node_new(NODE_LIST);

	for (int i = 0; i < w->depth; i++) {
		const struct level *l = &w->level[i];

		if (l->is_object && l->key != NULL)
			node_append(path, node_string(l->key));
		else if (!l->is_object && l->index > 0)
			node_append(path, node_int((int64_t)l->index));
	}
	return path;
}

static int report_fault(
    const struct walk *w, const char *name, size_t offset, const char *why, struct report *report)
{
	struct problem *p;

	report_add(report, STATUS_SPEC, NULL, "%s", why);
	p = &report->item[report->count - 1];
	json_line(w->json.text, offset, &p->line, &p->column);
	p->place = mem_format("%s:%zu:%zu", name, p->line, p->column);
	/* A path of dozens of brackets is useless. */
	if (w->depth > 0 && w->depth < MAX_JSON_DEPTH / 2) {
		p->keys = path_of(w);
		if (p->keys->count > 0)
			p->path = where_keys_path(p->keys);
	}
	return -1;
}

/* Moves the path to the value or key that was expected where the error is. */
static void step_to_fault(struct walk *w)
{
	struct level *l = top(w);

	if (l == NULL)
		return;
	if (!l->is_object && json_at_value(&w->json)) {
		l->index++;
	} else if (l->is_object && json_at_key(&w->json)) {
		drop_key(l);
	}
}

/* One reading: the walk, and what it has made. */
struct reading {
	struct walk walk;
	struct seen seen;
	struct node *root;
	const char *name;
	size_t room; /* bytes that the nodes may still take */
	size_t duplicates;
	struct report *report;
};

/* Makes the node of a value inside its container.  Returns NULL where the room ends. */
static struct node *add_value(struct reading *r, const struct json_token *token)
{
	struct level *l = top(&r->walk);
	size_t bytes = NODE_COST + token->length;
	struct node *n;

	if (l != NULL && l->is_object)
		bytes += strlen(l->key);
	if (bytes > r->room)
		return NULL;
	r->room -= bytes;
	n = json_value(&r->walk.json, token);
	if (l == NULL)
		r->root = n;
	else
		node_append(l->node, n);
	if (l != NULL && l->is_object) {
		n->key = l->key;
		l->is_lent = true;
	}
	return n;
}

/* Reports a key that its object has already.  The reading goes on to find all of them. */
static void report_duplicate(struct reading *r, size_t offset)
{
	if (r->duplicates++ < MAX_REPORT_PROBLEMS)
		(void)report_fault(&r->walk, r->name, offset, "duplicate key", r->report);
	else
		r->report->more++;
}

/* Handles one token.  Returns -1 if the text cannot be read on. */
static int take_token(struct reading *r, const struct json_token *token)
{
	struct walk *w = &r->walk;
	struct level *l = top(w);
	struct node *n;

	switch (token->type) {
	case JSON_END:
		return 0;
	case JSON_ERROR:
		step_to_fault(w);
		return report_fault(w, r->name, w->json.at, w->json.error, r->report);
	case JSON_KEY:
		if (!add_seen(&r->seen, l->key, l->serial))
			report_duplicate(r, token->offset);
		return 0;
	case JSON_OBJECT_END:
	case JSON_LIST_END:
		if (l->is_object)
			node_sort(l->node);
		close_level(w);
		return 0;
	default:
		n = add_value(r, token);
	}
	if (n == NULL)
		return report_fault(w, r->name, token->offset,
		    "the values up to here need too much memory: too large for a spec", r->report);
	if (token->type == JSON_OBJECT || token->type == JSON_LIST) {
		enter(w, token->type == JSON_OBJECT);
		top(w)->node = n;
	}
	return 0;
}

struct node *json_read(
    const char *name, const char *text, size_t length, size_t room, struct report *report)
{
	struct reading r = { .name = name, .room = room, .report = report };
	struct json_token token;
	int rc;

	json_start(&r.walk.json, text, length);
	do {
		(void)step(&r.walk, &token);
		rc = take_token(&r, &token);
	} while (rc == 0 && token.type != JSON_END);
	end_walk(&r.walk);
	free(r.seen.entry);
	if (rc == 0 && r.duplicates == 0)
		return r.root;
	node_free(r.root);
	return NULL;
}
