/* Decides what follows an exit.  Actions of the table in machine.c. */
#ifndef MACHINE_DECIDE_H
#define MACHINE_DECIDE_H

struct machine;
struct next;

struct next decide_begin(struct machine *m);
struct next decide_ask(struct machine *m);
struct next decide_hook_ended(struct machine *m);
struct next decide_reboot(struct machine *m);
struct next decide_stop(struct machine *m);
struct next decide_give_up(struct machine *m);
struct next decide_give_up_hook_ended(struct machine *m);
struct next decide_reset(struct machine *m);
struct next decide_reset_later(struct machine *m);
struct next decide_reboot_given_up(struct machine *m);
struct next decide_reboot_waiting(struct machine *m);

#endif
