/* The file of UEFI variables: copied from a template when it is missing, never overwritten. */
#ifndef LEDGER_VARFILE_H
#define LEDGER_VARFILE_H

#include "base/error.h"

/*
 * Makes the file at `path`, which is never seen half-made.  Returns 1 if it was made, 0 if it
 * exists already, -1 with STATUS_CHECK.
 */
int varfile_make(const char *template, const char *path, struct error *err);

#endif
