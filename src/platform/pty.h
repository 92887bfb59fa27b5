/* A pair of pseudo terminals: a serial line with us at the other end. */
#ifndef PLATFORM_PTY_H
#define PLATFORM_PTY_H

#include "base/error.h"

/*
 * Opens a pair in raw mode, close-on-exec; ours is non-blocking.  Theirs is kept open by the
 * caller, so that ours never sees a hang-up while nobody has the line open.  *path (owned by the
 * caller) is what another program opens.  STATUS_OS on failure; nothing is open then.
 */
int pty_open(int *ours, int *theirs, char **path, struct error *err);

#endif
