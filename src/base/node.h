/*
 * A document as plain C values: what comes out of Lua and goes into it.  Children belong to their
 * parent and keep its order; an object's children are sorted by key, so that every walk over a
 * document says the same things in the same order.
 */
#ifndef BASE_NODE_H
#define BASE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_kind {
	NODE_NULL,
	NODE_BOOL,
	NODE_INT,
	NODE_NUMBER, /* not a whole number, or beyond 64 bits */
	NODE_STRING,
	NODE_LIST,
	NODE_OBJECT,
	NODE_EMPTY,    /* an empty Lua table: a list and an object at once */
	NODE_FUNCTION, /* a Lua function: its place is known, its value stays in Lua */
	NODE_OTHER,    /* what no document can hold (a thread, a userdata, a mixed table) */
};

struct node {
	enum node_kind kind;
	bool truth;
	int64_t integer;
	double number;
	char *text;    /* NODE_STRING: its bytes, NUL-terminated; NODE_OTHER: what it was */
	size_t length; /* of text; differs from strlen() when there are NULs inside */
	char *key;     /* inside an object */
	struct node *first, *last, *next;
	size_t count; /* children */
};

struct node *node_new(enum node_kind kind);
struct node *node_string(const char *text);
struct node *node_string_n(const char *bytes, size_t n);
struct node *node_int(int64_t value);
struct node *node_number(double value);
struct node *node_bool(bool value);
/* Puts child (taken) at the end of a list. */
void node_append(struct node *list, struct node *child);
/* Puts child (taken) into an object in the order of keys; an old value of that key is freed. */
void node_put(struct node *object, const char *key, struct node *child);
/* Lends the child of that key, or NULL. */
const struct node *node_get(const struct node *object, const char *key);
/* Lends the text of a string child, or NULL when there is none. */
const char *node_get_text(const struct node *object, const char *key);
bool node_is_list(const struct node *n);
bool node_is_object(const struct node *n);
/* What a value is, in the words of error messages: "a string", "an object", ... */
const char *node_kind_name(const struct node *n);
/* Takes the child of that key out of the object, or returns NULL. */
struct node *node_take(struct node *object, const char *key);
/* A deep copy without the key; NULL for NULL. */
struct node *node_copy(const struct node *n);
/* NULL is fine. */
void node_free(struct node *n);
/* For the cleanup attribute: frees the node that a variable points to. */
void node_free_at(struct node **n);
#define NODE_AUTO __attribute__((cleanup(node_free_at)))

#endif
