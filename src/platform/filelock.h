/* Locks on files, which other programs can see. */
#ifndef PLATFORM_FILELOCK_H
#define PLATFORM_FILELOCK_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Locks a file by flock(2) without waiting.  Returns a descriptor that holds the lock until it is
 * closed, or -1 with errno: EWOULDBLOCK when another process holds the lock, ENOTSUP where files
 * cannot be locked and for anything but a file or a disk device, which is not opened; else the
 * reason of open(2).  FreeBSD's devfs(5) locks no device, neither a disk nor a zvol: there it is
 * always ENOTSUP.
 */
int filelock_take(const char *path, bool shared);
/*
 * Does the same, and waits for a moment where another process holds the lock: it may only have
 * tried whether it can take it.
 */
int filelock_take_soon(const char *path, bool shared);
/* Gives up a lock of filelock_take() also where a process that was forked has the descriptor. */
void filelock_drop(int fd);
/*
 * Returns whether another process holds a lock on the file by fcntl(2), as struct spawn.lock_file
 * causes.  *pid is that process, 0: not known.  This process must not hold such a lock on the file:
 * the call would end it.
 */
bool filelock_is_held(const char *path, pid_t *pid);
/*
 * Takes the exclusive lock of an open file by flock(2).  Returns -1 with errno, EWOULDBLOCK when
 * another process has the lock.  Waits, up to a second, for processes that only look at it.
 */
int filelock_own(int fd);
/*
 * Looks whether a process has that lock, without disturbing filelock_own().  Returns 0 if none has,
 * or -1 with errno, EWOULDBLOCK when one has.
 */
int filelock_look(int fd);
/* Calls flock(2) again while a signal interrupts it, as a network file system allows. */
int filelock_flock(int fd, int operation);

#endif
