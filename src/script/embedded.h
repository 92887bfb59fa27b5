/* The modules of lua/ and the stock hooks, as lua/compile.c puts them into the library. */
#ifndef SCRIPT_EMBEDDED_H
#define SCRIPT_EMBEDDED_H

#include <stddef.h>

#define EMBEDDED_HOOKS "hooks/" /* prefix of the names of stock hooks */

struct embedded {
	const char *name; /* "engine", "hooks/backoff"; NULL ends the table */
	const unsigned char *text;
	size_t length;
};

extern const struct embedded embedded_lua[];

#endif
