/* Locks on files, by flock(2): who has one tells other programs that look. */
#ifndef PLATFORM_FILELOCK_H
#define PLATFORM_FILELOCK_H

#include <stdbool.h>

/*
 * Never waits.  Returns a descriptor that has the lock until it is closed, or -1 with errno:
 * EWOULDBLOCK when somebody has it, ENOTSUP where files cannot be locked, else why the file cannot
 * be opened.  What is neither a file nor a disk device is not opened: ENOTSUP.
 */
int filelock_take(const char *path, bool shared);

#endif
