/* The commands that make a tap for a bridge, and the one that destroys it. */
#ifndef LEDGER_TAP_H
#define LEDGER_TAP_H

#include "base/words.h"
#include "hyper/hyper.h"
#include "ledger/ledger.h"

enum tap_step { TAP_CREATE, TAP_JOIN, TAP_UP, TAP_STEPS };

/* Adds the command of one step, for the system of the hypervisor. */
void tap_command(const struct hypervisor *hyper, enum tap_step step, const char *tap,
    const char *bridge, struct words *command);
/* Fills in *thing for the ledger. Caller clears it with ledger_thing_clear(). */
void tap_thing(const struct hypervisor *hyper, const char *tap, struct ledger_thing *thing);

#endif
