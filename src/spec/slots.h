/*
 * Which PCI address a device gets.  What a user pins is kept; the rest go to the lowest free slot,
 * base devices first, so that a target never moves a device of the base.
 */
#ifndef SPEC_SLOTS_H
#define SPEC_SLOTS_H

#include "base/report.h"
#include "spec/spec.h"

/* Addresses that some target of the file pins: automatic placement keeps off their slots. */
struct pin_map {
	unsigned char bits[SLOT_BUSES * SLOT_SLOTS / 8];
};

/* Adds what this spec pins: its devices', lpc's and host bridge's slots. */
void slots_collect(struct pin_map *pins, const struct spec *spec);

/*
 * Places every device of the spec that is not pinned.  Devices of `base` (at the same place of
 * emulations) stay where they are there; NULL: there is none, as for the base itself.  Faults (two
 * on one slot, function without function 0, no slot left) go to the report at the device's place.
 */
void slots_assign(
    struct spec *spec, const struct spec *base, const struct pin_map *pins, struct report *report);

#endif
