/* A run: the library's loop, joined with signals, a question at the terminal and who waits for us.
 */
#ifndef VMRUN_SUPERVISE_H
#define VMRUN_SUPERVISE_H

#include "ready.h"
#include "render.h"
#include "vmrun/vmrun.h"

/* Tells what has happened to a VM that is not run. */
void supervise_show(struct vmrun *vm, struct renderer *renderer);
/* Runs it to its end. Returns the status of the program. */
int supervise(struct vmrun *vm, struct renderer *renderer, struct ready *ready);

#endif
