/* pid files in the manner of pidfile(3): locked while we run, truncated, removed at the end. */
#ifndef LEDGER_PIDFILE_H
#define LEDGER_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/words.h"

struct pidfile {
	char *path; /* NULL: there is none */
	int fd;
	bool told; /* that the present pid cannot be written */
};

/*
 * Takes the lock and empties the file.  STATUS_BUSY names the process that has it; STATUS_OS when
 * the file cannot be written, or holds anything but a number: it is untouched then.
 */
int pidfile_open(struct pidfile *p, const char *path, struct error *err);
/* Writes a pid; 0: none, the file is empty then.  When it fails the file is empty, too. */
int pidfile_write(struct pidfile *p, pid_t pid, struct error *err);
/* The pid in such a file, 0 when there is none. */
pid_t pidfile_read(const char *path);
/*
 * Removes a file that a dead process left: one that is not locked, and is empty or still holds one
 * of these pids.  What another program has written there since stays, which is no error.
 */
int pidfile_remove_stale(const char *path, const struct words *pids, struct error *err);
/* Removes the file and gives the lock up. Does nothing for a zeroed struct. */
void pidfile_close(struct pidfile *p);

#endif
