/* The output of --simulate --json. */
#ifndef VMRUN_DECISION_H
#define VMRUN_DECISION_H

#include "vmrun/vmrun.h"

/*
 * Returns a decision as one line: number, target, cause, action, next target, who decided, delay.
 * Caller frees.
 */
char *decision_line(const struct vmrun_event *decided);
/*
 * Returns a decision as a JSON object, with the reason why the boot was refused, or NULL.  Caller
 * frees.
 */
char *decision_json(const struct vmrun_event *decided, const char *reason);

#endif
