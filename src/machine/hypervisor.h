/* The loader and the hypervisor of a boot.  Actions of the table in machine.c. */
#ifndef MACHINE_HYPERVISOR_H
#define MACHINE_HYPERVISOR_H

struct machine;
struct next;

struct next hypervisor_start(struct machine *m);
struct next hypervisor_load(struct machine *m);
struct next hypervisor_loaded(struct machine *m);
struct next hypervisor_load_late(struct machine *m);
struct next hypervisor_load_stop(struct machine *m);
struct next hypervisor_spawn(struct machine *m);
struct next hypervisor_up(struct machine *m);
struct next hypervisor_late(struct machine *m);
struct next hypervisor_exited(struct machine *m);
/* Keeps what a line of the hypervisor's output says about a serial port. */
void hypervisor_said(struct machine *m, const char *line);
/* The process of post_start_script has ended. */
void hypervisor_script_ended(struct machine *m);

#endif
