/* The stop ladder.  Actions of the table in machine.c. */
#ifndef MACHINE_STOP_H
#define MACHINE_STOP_H

struct machine;
struct next;

struct next stop_begin(struct machine *m);
struct next stop_hurry(struct machine *m);
struct next stop_late(struct machine *m);
struct next stop_kill(struct machine *m);
struct next stop_reboot(struct machine *m);
struct next stop_unfit(struct machine *m);

#endif
