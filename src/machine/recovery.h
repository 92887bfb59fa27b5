/*
 * Undoes what a vmrun that died left, before the first boot.  Actions of the table in machine.c.
 */
#ifndef MACHINE_RECOVERY_H
#define MACHINE_RECOVERY_H

struct machine;
struct next;

struct next recovery_begin(struct machine *m);
struct next recovery_helper_ended(struct machine *m);
struct next recovery_late(struct machine *m);
struct next recovery_stop(struct machine *m);

#endif
