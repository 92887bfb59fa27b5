/* Makes a boot and its plan from the name of a target.  Actions of the table in machine.c. */
#ifndef MACHINE_DRAFT_H
#define MACHINE_DRAFT_H

#include <stdbool.h>

struct machine;
struct next;

/* Waits, unless the boot follows the end of another one without a delay. */
struct next draft_or_wait(struct machine *m);
struct next draft_or_prepare(struct machine *m);
/* Returns whether the target boots again and needs no draft, because nothing has changed. */
bool draft_boots_again(struct machine *m);
struct next draft_begin(struct machine *m);
struct next draft_hook_ended(struct machine *m);
/* Ends the supervision; the first draft becomes the present boot, for its on_end. */
struct next draft_stop(struct machine *m);
/* Frees the draft, and a source that waits for its boot. */
void draft_clear(struct machine *m);

#endif
