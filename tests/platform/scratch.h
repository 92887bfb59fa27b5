/* A directory of the test's own, under /tmp: its short name fits into a socket's address. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/mem.h"

/* Makes it, and goes there. Setup and teardown of a cmocka test. */
int scratch_enter(void **state);
int scratch_leave(void **state);
/* A path in it; the caller frees it. */
char *scratch_path(const char *name);
/* Writes a file with these permissions. */
void scratch_write(const char *name, const char *text, mode_t mode);

/* Leaves this many descriptors free, and gives back the limit before. */
void scratch_limit(int free_descriptors);
void scratch_unlimit(void);

#endif
