/* The output of --simulate --json. */
#ifndef VMRUN_DECISION_H
#define VMRUN_DECISION_H

#include "vmrun/vmrun.h"

/*
 * Returns a VMRUN_DECIDED event as JSON: {"boot","target","cause","action","next","by"}.  Caller
 * frees.
 */
char *decision_json(const struct vmrun_event *decided);

#endif
