/* What a run has chosen for the devices of a boot, and how a user reaches its guest. */
#ifndef PLAN_CHOSEN_H
#define PLAN_CHOSEN_H

#include "base/node.h"
#include "base/words.h"
#include "plan/boot.h"

struct chosen {
	char *devices; /* chosen_devices() as JSON */
	char *screen;  /* "vnc://127.0.0.1:5900"; NULL: no screen */
	/* The command that reaches vmrun's console, else the first such serial port; or NULL. */
	char *console;
	struct words lines; /* all of this for users, one line each */
};

/*
 * Returns an object with a member for each device by its id, and for "com1" to "com4" and "gdb": an
 * object with those of slot, tap, bridge, host, port, tty, socket and pptdev that apply.  Leaves
 * out what a run has not found yet.  Caller frees.
 */
struct node *chosen_devices(const struct boot *boot);
/*
 * Fills in *out, which the caller frees with chosen_clear().  `run_dir` is the run directory if
 * vmrunctl has to be told of it, else NULL.
 */
void chosen_make(const struct boot *boot, const char *run_dir, struct chosen *out);
/* Frees what `chosen` owns and zeroes it. */
void chosen_clear(struct chosen *chosen);

#endif
