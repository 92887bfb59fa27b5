/* Destroys what the hypervisor left in the kernel.  Actions of the table in machine.c. */
#ifndef MACHINE_CLEANUP_H
#define MACHINE_CLEANUP_H

struct machine;
struct next;

struct next cleanup_begin(struct machine *m);
struct next cleanup_helper_ended(struct machine *m);
struct next cleanup_late(struct machine *m);
struct next cleanup_stop(struct machine *m);
struct next cleanup_reboot(struct machine *m);

#endif
