/* The files that one boot makes for its hypervisor or loader; rundir_close() removes them. */
#ifndef LEDGER_BOOTFILES_H
#define LEDGER_BOOTFILES_H

#include "hyper/hyper.h"

/*
 * Writes the files of a plan, which only this user may read.  Returns 0, or -1 with an error:
 * STATUS_CHECK if the user's file has no password.
 */
int bootfiles_write(const struct plan *plan, struct error *err);

#endif
