/* How a VM stands, in one line. */
#ifndef VMRUN_STATUS_H
#define VMRUN_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "vmrun/vmrun.h"

#define STATUS_SIZE 512

/* "running, target default, pid 4711, up 2 min 5 s, boot 3, last exit reboot"; without `times`
 * nothing in it changes by itself. */
void status_text(const struct vmrun_state *state, bool times, char text[STATUS_SIZE]);
/* "stopping: waiting for the power button to work (acpi), 57 s", and how to hurry it: by the
 * terminal's ^C, or not. */
void status_stopping(const struct vmrun_state *state, bool by_key, char text[STATUS_SIZE]);
/* Milliseconds until the seconds of that are one less. */
int status_tick_ms(const struct vmrun_state *state);

#endif
