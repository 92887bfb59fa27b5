/* A PCI address as bhyve(8) writes it: bus:slot:function, decimal. */
#ifndef DEVICE_SLOT_H
#define DEVICE_SLOT_H

#include <stdbool.h>

#include "device/field.h"

#define SLOT_BUSES 256
#define SLOT_SLOTS 32
#define SLOT_FUNCTIONS 8

struct slot {
	bool given;
	int bus, slot, function;
};

/* Room for "255:31:7" and its NUL. */
#define SLOT_TEXT 12

/* Reads "3", "3:0", "0:3:0" or an integer into a struct slot. */
DESCRIBES(slot_custom, struct slot);
extern const struct field_custom slot_custom;
/* The same, or false, for which `given` is false. */
DESCRIBES(slot_or_false_custom, struct slot);
extern const struct field_custom slot_or_false_custom;
/* Writes "B:S:F" into text and returns it. */
const char *slot_text(const struct slot *s, char text[SLOT_TEXT]);
bool slot_equal(const struct slot *a, const struct slot *b);

#endif
