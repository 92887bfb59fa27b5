/*
 * Prepares a start from its plan: checks the host, applies fixes, takes what the boot needs.
 * Actions of the table in machine.c.
 */
#ifndef MACHINE_PREPARE_H
#define MACHINE_PREPARE_H

struct machine;
struct next;

struct next prepare_begin(struct machine *m);
struct next prepare_helper_ended(struct machine *m);
struct next prepare_late(struct machine *m);
struct next prepare_fix(struct machine *m);
struct next prepare_hook_ended(struct machine *m);
struct next prepare_stop(struct machine *m);

#endif
