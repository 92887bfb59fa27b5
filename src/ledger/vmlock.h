/*
 * RUN-DIR/NAME/vm: a file whose lock shows whether a hypervisor runs.  The hypervisor inherits a
 * descriptor that holds the lock; the kernel drops it with the last process that has the
 * descriptor, also when vmrun has died or the ledger is lost.
 */
#ifndef LEDGER_VMLOCK_H
#define LEDGER_VMLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct vmlock {
	char *path; /* NULL: it is not open */
	int probe;  /* a descriptor that tries the lock, and never holds it for long */
	bool works; /* the file system has locks */
	bool found; /* the file existed before vmlock_open() */
};

/* Opens the file, or makes it. Returns -1 with STATUS_OS if that fails or it is not a file. */
int vmlock_open(struct vmlock *lock, const char *directory, struct error *err);
/*
 * Opens the file, if there is one, only for vmlock_is_held() and vmlock_noted(); then
 * vmlock_forget() closes it.  Changes nothing.  Returns -1 as vmlock_open() does.
 */
int vmlock_look(struct vmlock *lock, const char *directory, struct error *err);
/* Returns whether a process holds the lock; false where locks do not work. */
bool vmlock_is_held(const struct vmlock *lock);
/*
 * Takes the lock for the next hypervisor.  *fd is the descriptor for it, close-on-exec; the caller
 * closes it once the hypervisor runs.  It is -1 where locks do not work.  Returns -1 with
 * STATUS_CHECK when a process of the last boot still holds the lock.
 */
int vmlock_take(struct vmlock *lock, int *fd, struct error *err);
/* Notes which process holds the lock; works on a full disk. */
void vmlock_note(const struct vmlock *lock, pid_t pid, int64_t start);
/* Reads what vmlock_note() wrote; returns false if it wrote nothing. */
bool vmlock_noted(const struct vmlock *lock, pid_t *pid, int64_t *start);
/* Closes the file, which stays. */
void vmlock_forget(struct vmlock *lock);
/*
 * Returns the pid of the hypervisor that the file in DIRECTORY notes if that process runs, else 0.
 * Leaves the lock alone, so that it is in the way of no start.
 */
pid_t vmlock_survivor(const char *directory);
/* Closes the file and removes it unless a process holds the lock. */
void vmlock_close(struct vmlock *lock);

#endif
