/* Files that root may trust: those that no other user may write. */
#ifndef PLATFORM_TRUST_H
#define PLATFORM_TRUST_H

#include "base/error.h"

/*
 * Checks, in a process of root, the file that was opened as `path`: others may write neither the
 * file nor a directory on the way to it, links included; directories with the sticky bit, such as
 * /tmp, are fine. Fails with STATUS_NO_INPUT; the text names the file or directory and how to close
 * it to others.  For other users all files pass.
 */
int trust_check(int fd, const char *path, struct error *err);

#endif
