/* The state of a VM as one line of text. */
#ifndef VMRUN_STATUS_H
#define VMRUN_STATUS_H

#include <stdbool.h>

#include "vmrun/vmrun.h"

#define STATUS_SIZE 512

/*
 * Writes "running, target default, pid 4711, up 2 min 5 s, not ready yet, boot 3, last exit
 * reboot"; `times` adds the parts that change with time.
 */
void status_text(const struct vmrun_state *state, bool times, char text[STATUS_SIZE]);
/*
 * Writes "stopping: acpi 57 s; ^C: next step": the step of the stop ladder that runs, the time
 * left, and how to escalate to the next step at once, by ^C (`by_key`) or by another SIGTERM; until
 * a stop is requested, how to request it: "stopping: acpi 57 s; ^C: stop".
 */
void status_stopping(const struct vmrun_state *state, bool by_key, char text[STATUS_SIZE]);
/* Writes what a start waits for: "waiting 57 s for companion mk to make /vm/ram.img". */
void status_waiting(const struct vmrun_state *state, char text[STATUS_SIZE]);
/* Returns the milliseconds until the text of status_stopping() or status_waiting() changes. */
int status_tick_ms(const struct vmrun_state *state);

#endif
