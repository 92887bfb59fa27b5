/* What the functions that only tell say of a handle, in any state. */
#ifndef TESTS_LIB_GETTERS_H
#define TESTS_LIB_GETTERS_H

#include <stdbool.h>

#include "vmrun/vmrun.h"

/* One handle in a state, and what is true of it there. */
struct handle {
	struct vmrun *vm;
	struct vmrun_options options;
	char file[512];
	bool good;	/* no problem so far */
	bool read;	/* the spec could be read: it has a name */
	bool prepared;	/* there is a command */
	bool checked;	/* and a check of the host, */
	bool wrong;	/* which found something */
	bool dry;	/* options.check or options.dry_run: never a VM */
	bool simulated; /* vmrun_simulate() is done */
	bool started;	/* vmrun_start() returned 0 */
	bool over;	/* and the end was reached */
};

/* Calls all of them. */
void told_all(const struct handle *h);
/* There is a text, or none; frees it. */
void told_text(char *text, bool wanted);
/* Asking for the host or the targets is too late, or in vain. */
bool told_nothing(const struct handle *h);

#endif
