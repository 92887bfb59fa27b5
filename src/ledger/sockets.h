/* The unix sockets that a hypervisor makes and does not remove. */
#ifndef LEDGER_SOCKETS_H
#define LEDGER_SOCKETS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/words.h"

/*
 * Removes stale sockets.  Returns -1 with STATUS_CHECK, and removes none, when one of them is live
 * or is not a socket: it belongs to another program.
 */
int sockets_clear(const struct words *paths, struct error *err);
/* Removes the socket of a hypervisor that has ended. Returns false if it may still exist. */
bool sockets_remove_stale(const char *path);

#endif
