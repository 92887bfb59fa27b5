/* Small files that survive a crash: replaced in one step, never seen half-written. */
#ifndef LEDGER_STATEFILE_H
#define LEDGER_STATEFILE_H

#include <stddef.h>

#include "base/error.h"

#define MAX_STATEFILE_BYTES ((size_t)16 << 20) /* bytes */

/*
 * Reads the whole file; *text (NUL-terminated, owned by the caller) is NULL when there is none.
 * Returns -1 with STATUS_OS when it cannot be read, is not a regular file or is too large.
 */
int statefile_read(const char *path, char **text, size_t *length, struct error *err);
/*
 * Makes the directory (mode 0700) where it is missing, and replaces the file DIRECTORY/NAME: after
 * a crash at any point the file is the old one or the new one.  Returns 0 when the new one is on
 * the disk, else -1 with STATUS_OS.
 */
int statefile_write(
    const char *directory, const char *name, const char *text, size_t length, struct error *err);

#endif
