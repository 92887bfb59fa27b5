/* What a run of vmrun with one failing call does, and whether its end is as it must be. */
#ifndef FAULTS_SCENARIO_H
#define FAULTS_SCENARIO_H

#include <stdbool.h>

#include "base/words.h"
#include "calls.h"

struct scenario {
	const char *name;
	const char *script;	  /* of fakebhyve, for the run under test */
	int boots;		  /* of the run under test */
	unsigned long injections; /* made unless $FAULTS says otherwise */
	bool killed;		  /* a vmrun before it was killed with everything taken */
	bool controlled;	  /* vmrunctl lists, asks and stops it */
	bool memory;		  /* only allocations fail; else, all other calls */
};

extern const struct scenario scenarios[];

struct outcome {
	int status;		 /* of vmrun; -1: it did not end */
	struct words before;	 /* what the vmrun that was killed left */
	struct words complaints; /* empty: all is as it must be */
};

/* Runs the scenario; the page says which call fails, and has the numbers of calls afterwards. */
void scenario_run(const struct scenario *s, struct faults_page *page, struct outcome *outcome);
void outcome_clear(struct outcome *outcome);
/* Makes the files with which all other runs begin.  Returns whether vmrun works at all. */
bool scenario_seed(struct faults_page *page);

#endif
