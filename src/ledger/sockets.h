/* Unix sockets that a hypervisor makes and leaves behind. */
#ifndef LEDGER_SOCKETS_H
#define LEDGER_SOCKETS_H

#include "base/error.h"
#include "base/words.h"

/*
 * Removes sockets that nobody answers.  Fails with STATUS_CHECK, touching nothing, when one of them
 * is alive or is not a socket at all: it is somebody else's.
 */
int sockets_clear(const struct words *paths, struct error *err);
/* After the hypervisor that made them has ended: removes what is still there and is a socket. */
void sockets_remove(const struct words *paths);

#endif
