/*
 * RUN-DIR/NAME/vm: the file by which the kernel tells whether a hypervisor runs.  The hypervisor
 * inherits a descriptor that holds a lock on it; the lock ends with the last process that has the
 * descriptor, whatever became of vmrun and of its ledger.
 */
#ifndef LEDGER_VMLOCK_H
#define LEDGER_VMLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct vmlock {
	char *path; /* NULL: it is not open */
	int probe;  /* a descriptor of ours that asks, and never holds the lock for long */
	bool works; /* the file system knows locks */
	bool found; /* the file was there before */
};

/* Makes the file where it is missing. STATUS_OS when it cannot be made or is not ours. */
int vmlock_open(struct vmlock *lock, const char *directory, struct error *err);
/* Does a process hold the lock? False where locks do not work. */
bool vmlock_is_held(const struct vmlock *lock);
/*
 * Takes the lock for the next hypervisor: *fd is the descriptor to hand over, close-on-exec, which
 * the caller closes once the hypervisor has it; -1 where locks do not work.  STATUS_CHECK when a
 * process of the last boot still holds it.
 */
int vmlock_take(struct vmlock *lock, int *fd, struct error *err);
/* Writes down which process holds the lock, in place, so that a full disk does not matter. */
void vmlock_note(const struct vmlock *lock, pid_t pid, int64_t start);
/* Reads what vmlock_note() wrote; false when it wrote nothing. */
bool vmlock_noted(const struct vmlock *lock, pid_t *pid, int64_t *start);
/* Closes the file, and removes it unless a process holds the lock. */
void vmlock_close(struct vmlock *lock);

#endif
