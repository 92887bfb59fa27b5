/* What a list of exits comes to, in a run with fakebhyve and in a simulation: rows to compare. */
#ifndef TESTS_EXAMPLES_WALKED_H
#define TESTS_EXAMPLES_WALKED_H

#include <stdbool.h>
#include <stddef.h>

#include "vmrun/vmrun.h"

/* A walk through the policy: a row for each decision, as --simulate prints it. */
struct walked {
	char *rows; /* owned */
	size_t count;
	bool ended; /* the supervision was over before the list was, or with it */
	int status; /* vmrun's, if so */
};

/*
 * A run of options->file, each boot of which ends as the list says: causes or statuses, with
 * `@seconds` of time up.  The file FAKEBHYVE_SCRIPT is written anew; in it the lines check_failed
 * and loader_failed are for world.lua and bin/bhyveload beside this file, since no hypervisor runs
 * then.  It is over when the first boot after the list runs.  Returns false, with a word on stderr,
 * when it cannot be done.
 */
bool walk_run(const struct vmrun_options *options, const char *list, struct walked *out);
/* The same by vmrun_simulate(). */
bool walk_simulate(const struct vmrun_options *options, const char *list, struct walked *out);
/* Are they the same?  A run may go on after the list, as far as no guest is needed. */
bool walked_agree(const struct walked *run, const struct walked *simulated);
void walked_clear(struct walked *w);

#endif
