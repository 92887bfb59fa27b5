/*
 * What this vmrun has taken from the host and gives back at the end: taps it made, devices it
 * attached to ppt.  A thing is written down before it is taken.
 */
#ifndef LEDGER_TAKEN_H
#define LEDGER_TAKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"
#include "hyper/hyper.h"

struct taken_thing {
	char *name;	   /* "tap3", "ppt 3/0/0": what it is, for messages and for looking it up */
	struct words undo; /* the command that gives it back */
};

struct taken {
	struct taken_thing *item;
	size_t count;
};

/* The undo command is copied. */
void taken_add(struct taken *t, const char *name, const struct words *undo);
bool taken_have(const struct taken *t, const char *name);
/* Lends the thing taken last, or NULL; taken_drop_last() forgets it. */
const struct taken_thing *taken_last(const struct taken *t);
void taken_drop_last(struct taken *t);
void taken_clear(struct taken *t);

enum tap_step { TAP_CREATE, TAP_JOIN, TAP_UP, TAP_STEPS };

/* The command of one step that makes a tap for a bridge, and the one that takes it away again. */
void tap_command(const struct hypervisor *hyper, enum tap_step step, const char *tap,
    const char *bridge, struct words *command);
void tap_undo(const struct hypervisor *hyper, const char *tap, struct words *command);

#endif
