/*
 * Locks on names that a run finds free: taps, ports, null modems, PCI devices.  A hypervisor takes
 * such a name only when it starts, so vmruns that start together must not find the same one.  A
 * lock is a file in RUN-DIR/.names, which the kernel unlocks when vmrun ends, however it ends.
 * Users do not see each other's locks.
 */
#ifndef LEDGER_NAMELOCK_H
#define LEDGER_NAMELOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"

struct namelock {
	char *directory; /* RUN-DIR/.names; NULL: nothing is locked */
	int *fd;
	size_t count;
	struct words names;
};

/* Prepares locks for the VM of RUN-DIR/NAME; NULL: none is ever taken (a simulation). */
void namelock_open(struct namelock *locks, const char *vm_directory);
/*
 * Locks the name for as long as this vmrun lives.  Returns false if another vmrun has locked it;
 * true also where files cannot be made or locked.
 */
bool namelock_take(struct namelock *locks, const char *name);
/* Releases the lock on the name, if this vmrun has it. */
void namelock_drop(struct namelock *locks, const char *name);
/* Releases all locks, and removes their files. */
void namelock_close(struct namelock *locks);

#endif
