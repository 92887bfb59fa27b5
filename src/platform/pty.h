/* A pair of pseudo terminals: a serial line with vmrun at the other end. */
#ifndef PLATFORM_PTY_H
#define PLATFORM_PTY_H

#include "base/error.h"

/*
 * Opens a pair in raw mode, close-on-exec; ours is non-blocking.  The caller keeps theirs open, so
 * that ours never sees a hang-up while no other program has the line open.  *path, which the caller
 * frees, is the file for the other program.  Fails with STATUS_OS; nothing is open then.
 */
int pty_open(int *ours, int *theirs, char **path, struct error *err);

#endif
