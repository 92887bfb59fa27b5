/* Searches in bytes. */
#ifndef PLATFORM_FIND_H
#define PLATFORM_FIND_H

#include <stddef.h>

/* Returns the first place of `wanted` in n bytes, NULs included, or NULL. */
const char *find_text(const char *bytes, size_t n, const char *wanted);

#endif
