/*
 * Assignment of PCI addresses.  Pinned devices keep theirs; the others get the lowest free slot,
 * devices of the base first, so that a target never moves a device of the base.
 */
#ifndef SPEC_SLOTS_H
#define SPEC_SLOTS_H

#include "base/report.h"
#include "spec/spec.h"

/* Addresses that any target of the file pins: automatic placement avoids their slots. */
struct pin_map {
	unsigned char bits[SLOT_BUSES * SLOT_SLOTS / 8];
};

/* Where a device of the base is. */
struct base_slot {
	const struct device_kind *kind;
	const char *origin; /* as in struct device */
	size_t index;
	struct slot slot;
};

struct base_slots {
	struct base_slot *item; /* owned; in the order of the base's devices */
	size_t count;
	bool *leaving; /* owned; by the index in emulations: see slots_collect_leaving() */
	size_t leaving_count;
};

/* Adds the slots that this spec pins: those of its devices, its lpc and its host bridge. */
void slots_collect(struct pin_map *pins, const struct spec *spec);

/* Adds the devices of the base that a target removes, or puts into a slot of its own. */
void slots_collect_leaving(
    struct base_slots *out, const struct spec *base, const struct spec *target);
/* Notes where the devices of the base are, which has its slots. */
void slots_note(struct base_slots *base, const struct spec *spec);
/*
 * Notes the slots of a spec that no entry of its emulations has: those of removed devices, and of
 * devices that are made from other keys, also where only the base has that key.
 */
void slots_note_others(
    struct base_slots *base, const struct spec *spec, const struct base_slots *of_base);
void slots_forget(struct base_slots *base);
/*
 * Assigns a slot to every device that is not pinned.  Devices of `base`, at the same index of
 * emulations, keep their slots, and what it has beside these stays empty; nothing is noted in it
 * for the base itself, and NULL is the same.  Reports errors at the device: two devices on one
 * slot, a function without function 0, no slot left.
 */
void slots_assign(struct spec *spec, const struct base_slots *base, const struct pin_map *pins,
    struct report *report);

#endif
