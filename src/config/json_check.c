/* Checks a JSON text, and finds the place of a key path. */
#include "config/json_check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* 2^53: a double holds each integer up to here. */
#define MAX_EXACT_INTEGER 9007199254740992.0

/* An open container. */
struct level {
	bool is_object;
	char *key;     /* of the member that is being read */
	size_t index;  /* of the entry that is being read, from 1; 0 before the first */
	size_t serial; /* unique for every object of the document */
	size_t children;
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
		char *key;
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
	e->key = mem_copy(key);
	e->serial = serial;
	seen->count++;
	return true;
}

static void free_seen(struct seen *seen)
{
	for (size_t i = 0; i < seen->room; i++)
		free(seen->entry[i].key);
	free(seen->entry);
}

static struct level *top(struct walk *w)
{
	return w->depth == 0 ? NULL : &w->level[w->depth - 1];
}

static void close_level(struct walk *w)
{
	struct level *l = top(w);

	free(l->key);
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
		free(l->key);
		l->key = json_text(&w->json, token, NULL);
		l->children++;
	} else if (begins_value(type) && l != NULL && !l->is_object) {
		l->index++;
		l->children++;
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

static void add_note(struct node *notes, struct node *path, const char *kind, struct node *text)
{
	struct node *note = node_new(NODE_OBJECT);

	node_put(note, "kind", node_string(kind));
	node_put(note, "path", path);
	if (text != NULL)
		node_put(note, "text", text);
	node_append(notes, note);
}

/* Returns whether the number is an integer that a double may round: 2^53 + 1 becomes 2^53. */
static bool is_wide_integer(const char *digits, size_t n)
{
	char text[MAX_JSON_NUMBER + 1];
	double value;

	if (memchr(digits, '.', n) != NULL || memchr(digits, 'e', n) != NULL ||
	    memchr(digits, 'E', n) != NULL)
		return false;
	memcpy(text, digits, n);
	text[n] = '\0';
	value = strtod(text, NULL);
	return value >= MAX_EXACT_INTEGER || value <= -MAX_EXACT_INTEGER;
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
		free(l->key);
		l->key = NULL;
	}
}

/* Handles one token.  Returns -1 if it is an error. */
static int check_token(struct walk *w, const struct json_token *token, struct seen *seen,
    struct node *notes, const char *name, struct report *report)
{
	const char *at = w->json.text + token->offset;
	struct level *l = top(w);

	switch (token->type) {
	case JSON_ERROR:
		step_to_fault(w);
		return report_fault(w, name, w->json.at, w->json.error, report);
	case JSON_KEY:
		if (!add_seen(seen, l->key, l->serial))
			return report_fault(w, name, token->offset, "duplicate key", report);
		break;
	case JSON_OBJECT:
	case JSON_LIST:
		enter(w, token->type == JSON_OBJECT);
		break;
	case JSON_OBJECT_END:
	case JSON_LIST_END:
		if (l->children == 0) {
			struct node *path;

			close_level(w);
			path = path_of(w);
			add_note(
			    notes, path, token->type == JSON_LIST_END ? "list" : "object", NULL);
		} else {
			close_level(w);
		}
		break;
	case JSON_NUMBER:
		if (is_wide_integer(at, token->length))
			add_note(notes, path_of(w), "integer", node_string_n(at, token->length));
		break;
	default:
		break;
	}
	return 0;
}

int json_check(
    const char *name, const char *text, size_t length, struct node **notes, struct report *report)
{
	struct walk w = { .depth = 0 };
	struct seen seen = { 0 };
	struct json_token token;
	int rc = 0;

	*notes = node_new(NODE_LIST);
	json_start(&w.json, text, length);
	do {
		(void)step(&w, &token);
		rc = check_token(&w, &token, &seen, *notes, name, report);
	} while (rc == 0 && token.type != JSON_END);
	end_walk(&w);
	free_seen(&seen);
	return rc;
}

/* Returns how many of the keys the path of the walk matches, from the start. */
static size_t matched(const struct walk *w, const struct node *keys)
{
	size_t n = 0;
	const struct node *k = keys->first;

	for (int i = 0; i < w->depth && k != NULL; i++, k = k->next, n++) {
		const struct level *l = &w->level[i];

		if (l->is_object
			? l->key == NULL || k->kind != NODE_STRING || strcmp(l->key, k->text) != 0
			: k->kind != NODE_INT || l->index != (size_t)k->integer)
			break;
	}
	return n;
}

bool json_place(
    const char *text, size_t length, const struct node *keys, size_t *line, size_t *column)
{
	struct walk w = { .depth = 0 };
	struct json_token token;
	size_t best = 0, offset = 0;

	json_start(&w.json, text, length);
	while (best < keys->count) {
		enum json_type type = step(&w, &token);
		const struct level *l = top(&w);

		if (type == JSON_END || type == JSON_ERROR)
			break;
		if (type == JSON_KEY || (begins_value(type) && l != NULL && !l->is_object)) {
			size_t n = matched(&w, keys);

			if (n > best && n == (size_t)w.depth) {
				best = n;
				offset = token.offset;
			}
		}
		if (type == JSON_OBJECT || type == JSON_LIST)
			enter(&w, type == JSON_OBJECT);
		else if (type == JSON_OBJECT_END || type == JSON_LIST_END)
			close_level(&w);
	}
	end_walk(&w);
	json_line(text, offset, line, column);
	return best > 0;
}
