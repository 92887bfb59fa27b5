/* Numbers of bhyve's options, read as bhyve reads them: -c and -m. */
#ifndef IMPORT_BHYVE_VALUES_H
#define IMPORT_BHYVE_VALUES_H

#include <stdbool.h>

#include "base/node.h"

#define BHYVE_MEMORY "256M" /* the memory of a guest without -m (bhyverun.c) */

#define BHYVE_SCSI_DEVICE "/dev/cam/ctl" /* of virtio-scsi without one (pci_virtio_scsi.c) */

/* The processors of a guest; 0: not given. */
struct bhyve_cpus {
	long cpus, sockets, cores, threads;
};

/* Sets the number of "cpus", "sockets", "cores" or "threads".  Returns false for a bad number. */
bool bhyve_cpus_set(struct bhyve_cpus *c, const char *key, const char *text);
/*
 * Makes the value of `cpu`, with bhyve's defaults: a socket for each processor.  Returns NULL, or
 * why bhyve refuses the numbers; caller frees both.
 */
char *bhyve_cpus_node(const struct bhyve_cpus *c, struct node **cpu);
/*
 * Makes a size that `mem` takes of one that bhyve takes: in C's syntax, and in MiB below 1048576
 * without a suffix.  Returns NULL, or why bhyve refuses the size; caller frees both.
 */
char *bhyve_memory_text(const char *text, char **size);
/*
 * Returns an address as `mac` has it of one that bhyve takes: numbers without their first zeros,
 * or of more than a byte.  NULL: it is none, or `mac` takes it as it is.  Caller frees.
 */
char *bhyve_mac_text(const char *text);

#endif
