/* The modules of lua/, as lua/embed.cmake puts them into the library. */
#ifndef SCRIPT_EMBEDDED_H
#define SCRIPT_EMBEDDED_H

#include <stddef.h>

struct embedded {
	const char *name; /* "engine"; NULL ends the table */
	const unsigned char *text;
	size_t length;
};

extern const struct embedded embedded_lua[];

#endif
