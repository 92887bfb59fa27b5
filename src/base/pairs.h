/* An ordered list of key=value, such as the variables of bhyve_config(5). */
#ifndef BASE_PAIRS_H
#define BASE_PAIRS_H

#include <stddef.h>

struct pair {
	char *key;
	char *value;
};

struct pairs {
	struct pair *item;
	size_t count;
};

/* Adds a pair; both texts are copied. */
void pairs_add(struct pairs *p, const char *key, const char *value);
void pairs_addf(struct pairs *p, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Lends the value of the first such key, or NULL. */
const char *pairs_get(const struct pairs *p, const char *key);
/* Drops every pair of that key. */
void pairs_remove(struct pairs *p, const char *key);
void pairs_free(struct pairs *p);
#define PAIRS_AUTO __attribute__((cleanup(pairs_free)))

#endif
