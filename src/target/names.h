/* A table of names with a number for each: huge lists take linear time. */
#ifndef TARGET_NAMES_H
#define TARGET_NAMES_H

#include <stddef.h>

struct name {
	const char *text; /* lent */
	size_t number;
};

struct names {
	struct name *item;
	size_t count, room; /* room is 0 or a power of two */
};

/* Lends the entry of a name, a new one with the number 0 if there is none, until the next call. */
struct name *names_at(struct names *names, const char *text);
/* Lends the entry of a name, or NULL. */
const struct name *names_find(const struct names *names, const char *text);
void names_free(struct names *names);
#define NAMES_AUTO __attribute__((cleanup(names_free)))

#endif
