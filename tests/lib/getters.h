/* Checks of the public functions that change nothing, for a handle in any state. */
#ifndef TESTS_LIB_GETTERS_H
#define TESTS_LIB_GETTERS_H

#include <stdbool.h>

#include "vmrun/vmrun.h"

/* A handle, and what is true of it in its state. */
struct handle {
	struct vmrun *vm;
	struct vmrun_options options;
	char file[512];
	bool good;	/* there is no problem */
	bool read;	/* the spec was read: the VM has a name */
	bool prepared;	/* there is a command */
	bool checked;	/* the host was checked */
	bool wrong;	/* the check found problems */
	bool dry;	/* options.check or options.dry_run is set: never a VM */
	bool simulated; /* vmrun_simulate() was called */
	bool started;	/* vmrun_start() returned 0 */
	bool first;	/* the first boot has not begun: next and reload apply to it */
	bool over;	/* the supervision is over */
	bool refused;	/* the last request was refused */
};

/* Calls each of these functions and checks what it returns. */
void getters_check(const struct handle *h);
/* Checks whether there is a text, and frees it. */
void getters_check_text(char *text, bool wanted);
/* Returns whether the functions about the host and the targets have nothing to return. */
bool getters_are_empty(const struct handle *h);

#endif
