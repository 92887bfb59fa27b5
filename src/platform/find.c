/* Searches by memmem(3), which both systems have, glibc under a macro of its own. */
#define _GNU_SOURCE /* memmem() */
#include "platform/find.h"

#include <string.h>

const char *find_text(const char *bytes, size_t n, const char *wanted)
{
	return memmem(bytes, n, wanted, strlen(wanted));
}
