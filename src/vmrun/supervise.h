/*
 * A run: the loop that handles events of the library, signals, the question at the terminal and
 * readiness.
 */
#ifndef VMRUN_SUPERVISE_H
#define VMRUN_SUPERVISE_H

#include "ready.h"
#include "render.h"
#include "vmrun/vmrun.h"

/* Shows the pending events of a VM that is not run. */
void supervise_show(struct vmrun *vm, struct renderer *renderer);
/* Runs the VM to its end. Returns the exit status of the program. */
int supervise(struct vmrun *vm, struct renderer *renderer, struct ready *ready);

#endif
