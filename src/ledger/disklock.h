/*
 * Disks belong to one VM at a time: a running vmrun holds a lock on each image, shared where its
 * guest only reads.  The lock ends with the process, however it ends.
 */
#ifndef LEDGER_DISKLOCK_H
#define LEDGER_DISKLOCK_H

#include "base/error.h"
#include "base/words.h"
#include "spec/spec.h"

struct disklock {
	int *fd;
	size_t count;
	struct words paths; /* of the disks that are locked: what the check calls `ours` */
};

/*
 * Locks every disk of the spec; those that it has stay as they are.  A disk that cannot be locked
 * at all (a file system without locks) or is not there is left alone.  -1 with STATUS_CHECK, naming
 * the disk that somebody else has; nothing new is held then.
 */
int disklock_take(struct disklock *locks, const struct spec *spec, struct error *err);
/* Gives all of them up. */
void disklock_release(struct disklock *locks);

#endif
