/* pid files as of pidfile(3): locked and truncated while vmrun runs, removed at its end. */
#ifndef LEDGER_PIDFILE_H
#define LEDGER_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/words.h"

struct pidfile {
	char *path; /* NULL: there is none */
	int fd;
	bool told; /* a warning has said that the present pid cannot be written */
};

/*
 * Locks the file and empties it.  Returns -1 with STATUS_BUSY, naming the process, when another
 * one has the lock; with STATUS_OS, the file untouched, when it cannot be written or holds
 * anything but a number.
 */
int pidfile_open(struct pidfile *p, const char *path, struct error *err);
/*
 * Looks whether pidfile_open() would succeed, and changes nothing.  Returns -1 as pidfile_open()
 * does.
 */
int pidfile_check(const char *path, struct error *err);
/* Writes a pid, or empties the file (0).  The file is also empty after a failure. */
int pidfile_write(struct pidfile *p, pid_t pid, struct error *err);
/* Returns the pid in a pid file, 0 when it has none. */
pid_t pidfile_read(const char *path);
/*
 * Removes the pid file of a dead process: not locked, and empty or with one of these pids.  Returns
 * 0 also when the file is another program's by now, and stays.
 */
int pidfile_remove_stale(const char *path, const struct words *pids, struct error *err);
/*
 * Removes the file and releases the lock.  Returns -1 with errno if the file stays, which then is
 * empty if it can be.  Does nothing for a zeroed struct.
 */
int pidfile_close(struct pidfile *p);

#endif
