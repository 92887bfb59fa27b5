/* Small files that outlive everything: replaced in one step, never seen half-written. */
#ifndef LEDGER_STATEFILE_H
#define LEDGER_STATEFILE_H

#include <stddef.h>

#include "base/error.h"

#define MAX_STATEFILE_BYTES ((size_t)16 << 20) /* bytes */

/*
 * Reads the whole file; *text (NUL-terminated, owned by the caller) is NULL when there is none.
 * STATUS_OS when it cannot be read, is no regular file or too large.
 */
int statefile_read(const char *path, char **text, size_t *length, struct error *err);
/*
 * Makes the folder, only for us, where it is missing, and replaces the file FOLDER/NAME: after a
 * crash at any point it is the old one or the new one.  The new one is on the disk when this
 * returns 0.  STATUS_OS.
 */
int statefile_write(
    const char *directory, const char *name, const char *text, size_t length, struct error *err);

#endif
