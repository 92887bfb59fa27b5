/* Unix sockets that a hypervisor makes and leaves behind. */
#ifndef LEDGER_SOCKETS_H
#define LEDGER_SOCKETS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/words.h"

/*
 * Removes sockets that nobody answers.  Fails with STATUS_CHECK, touching nothing, when one of them
 * is alive or is not a socket at all: it is somebody else's.
 */
int sockets_clear(const struct words *paths, struct error *err);
/*
 * Removes the socket of a hypervisor that has ended.  False when it could not be removed, or not
 * even looked at.
 */
bool sockets_remove_stale(const char *path);

#endif
