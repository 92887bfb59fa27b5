/* How a tap for a bridge is made, and the command that destroys it. */
#ifndef LEDGER_TAP_H
#define LEDGER_TAP_H

#include "base/words.h"
#include "hyper/hyper.h"
#include "ledger/ledger.h"

enum tap_step { TAP_CREATE, TAP_JOIN, TAP_UP, TAP_STEPS };

/*
 * Adds the command of one step, for the system of the plan's hypervisor.  No words: tap_make()
 * does the step TAP_CREATE.
 */
void tap_command(const struct plan *plan, enum tap_step step, const char *tap, const char *bridge,
    struct words *command);
/*
 * Returns whether the tap is down after its hypervisor has exited, so that TAP_UP is to be done
 * again.
 */
bool tap_goes_down(const struct plan *plan);
/*
 * Fills in *thing for the ledger. Caller clears it with ledger_thing_clear().  A tap that a command
 * will create is `unsure`: its description tells it from one that another program creates first.
 */
void tap_thing(const struct plan *plan, const char *tap, struct ledger_thing *thing);
/*
 * Makes a tap, and adds it to the ledger between its creation and the moment from which it outlives
 * its maker.  Returns 0, or -1 with *exists set if an interface has the name.
 */
int tap_make(const struct plan *plan, const char *tap, struct ledger *ledger, bool *exists,
    struct error *err);

#endif
