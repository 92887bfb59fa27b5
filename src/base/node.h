/*
 * A document as plain C values, copied out of Lua and into it.  Children belong to their parent.
 * The children of an object are sorted by key, so that every walk over a document has the same
 * order.
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
	NODE_NUMBER, /* not a whole number, or beyond int64_t */
	NODE_STRING,
	NODE_LIST,
	NODE_OBJECT,
	NODE_EMPTY,    /* an empty Lua table: a list and an object at once */
	NODE_FUNCTION, /* a Lua function: its value stays in Lua */
	NODE_OTHER,    /* a value that no document can hold (a thread, a userdata, a mixed table) */
	NODE_KINDS,
};

/* Not copied by assignment, because text and key may be in the node: node_copy(), node_lend(). */
struct node {
	enum node_kind kind;
	bool truth;
	bool has_minus; /* NODE_INT: below 0 in JSON; one of Lua's may be the bits of 0xf... */
	bool is_lent;	/* text, key and children belong to other nodes: see node_lend() */
	int64_t integer;
	double number;
	/*
	 * NODE_STRING: its bytes, NUL-terminated; NODE_NUMBER: the digits of an integer that JSON
	 * has and int64_t has not, or NULL; NODE_OTHER: a name of the value.
	 */
	char *text;
	size_t length; /* of the bytes of a string, NULs inside included */
	char *key;     /* inside an object: see node_name(); else of the heap, and of the node */
	struct node *first, *last, *next;
	size_t count;	    /* children */
	char short_key[24]; /* where most keys are */
};

/*
 * What a node counts for in a budget of memory beside the bytes of its text and its key: the struct
 * and the allocator's overhead.
 */
#define NODE_COST (offsetof(struct node, short_key) + 32)

struct node *node_new(enum node_kind kind);
struct node *node_string(const char *text);
struct node *node_string_n(const char *bytes, size_t n);
struct node *node_int(int64_t value);
struct node *node_number(double value);
struct node *node_bool(bool value);
/* Gives the node a copy of the key, in place of the one that it had. */
void node_name(struct node *n, const char *key);
/* Takes its key from the node. */
void node_unname(struct node *n);
/* Appends the child (taken) to a list. */
void node_append(struct node *list, struct node *child);
/* Puts the child (taken) into an object in the order of keys; an old value of that key is freed. */
void node_put(struct node *object, const char *key, struct node *child);
/*
 * Sorts the children of an object by key, once after they were appended: node_put() would search
 * the place of each.
 */
void node_sort(struct node *object);
/* Returns whether two trees have the same values; functions count as the same. */
bool node_equal(const struct node *a, const struct node *b);
/* Lends the child of that key, or NULL. */
const struct node *node_get(const struct node *object, const char *key);
/* Lends the text of a string child, or NULL. */
const char *node_get_text(const struct node *object, const char *key);
bool node_is_list(const struct node *n);
bool node_is_object(const struct node *n);
/* Returns the name of a kind for error messages: "a string", "an object", ... */
const char *node_kind_name(const struct node *n);
/* Puts a value (taken) in the place of a child, which is freed; the key stays. */
void node_replace(struct node *parent, struct node *child, struct node *value);
/* Takes the child of that key out of the object, or returns NULL. */
struct node *node_take(struct node *object, const char *key);
/* Returns a deep copy without the key; NULL for NULL. */
struct node *node_copy(const struct node *n);
/*
 * Returns a node with the value of another one and a key (both lent), to be appended elsewhere and
 * read there.  Not to be changed, put into an object, or used after the other one.
 */
struct node *node_lend(const struct node *n, char *key);
/* Frees a tree; NULL is fine. */
void node_free(struct node *n);
/* Frees the node that a variable points to, for the cleanup attribute. */
void node_free_at(struct node **n);
#define NODE_AUTO __attribute__((cleanup(node_free_at)))

#endif
