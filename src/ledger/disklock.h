/*
 * Locks that keep two VMs from using one disk: a running vmrun holds one on each image, shared
 * where its guest only reads.  The kernel drops the locks when vmrun ends, however it ends.
 */
#ifndef LEDGER_DISKLOCK_H
#define LEDGER_DISKLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/words.h"
#include "spec/spec.h"

/* A lock: the descriptor that holds it, and whether others that only read may have it, too. */
struct disklock_held {
	int fd;
	bool shared;
};

struct disklock {
	struct disklock_held *held;
	size_t count;
	struct words paths; /* of the locked disks, which the check does not report as in use */
};

/*
 * Locks the disks of the spec that are not locked yet: those that a companion makes (`made`), or
 * all others.  A disk that was made anew is locked in the place of the old one, and a disk that
 * an earlier boot only read is locked alone for a boot that writes to it.  A disk that is missing
 * or whose file system has no locks is skipped.  Returns -1 with STATUS_CHECK, and locks no further
 * disk, if another process has locked one of the disks; the error names the disk.
 */
int disklock_take(struct disklock *locks, const struct spec *spec, bool made, struct error *err);
/* Releases all locks. */
void disklock_release(struct disklock *locks);

#endif
