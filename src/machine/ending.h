/*
 * Ends a supervision: stops companions, undoes what the ledger lists, calls on_end.  Actions of the
 * table in machine.c.
 */
#ifndef MACHINE_ENDING_H
#define MACHINE_ENDING_H

struct machine;
struct next;

struct next ending_begin(struct machine *m);
struct next ending_helper_ended(struct machine *m);
struct next ending_companion_gone(struct machine *m);
struct next ending_late(struct machine *m);
struct next ending_report(struct machine *m);
struct next ending_hook_ended(struct machine *m);
struct next ending_hurry(struct machine *m);
struct next ending_farewell(struct machine *m);

#endif
