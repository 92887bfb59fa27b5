/* The running guest: what happens once the core has accepted argv. */
#ifndef FAKE_PROGRAM_H
#define FAKE_PROGRAM_H

#include "fake.h"

struct guest {
	const struct fake_host *host;
	struct fake_tree *tree;
	struct fake_machine machine;
	int clients[FAKE_MAX_SOCKETS]; /* of machine.sockets, one each; -1: none */
	bool button_pressed;	       /* and not yet seen by the guest */
};

/* loop.c */
void loop_init(struct guest *guest);	     /* before the VM can be found by bhyvectl */
void set_acpi(struct guest *guest, bool on); /* on: SIGTERM presses the power button */
void wait_ms(struct guest *guest, long ms);  /* serves the sockets meanwhile */
void wait_button(struct guest *guest);	     /* until it is pressed; the guest sees the press */
void wait_forever(struct guest *guest);	     /* never returns; bhyvectl can end it */
void block_signals(void);
void hang(void); /* never returns; only SIGKILL can end it */
void guest_exit(struct guest *guest, int status) __attribute__((noreturn));
void die_of(int signal_number) __attribute__((noreturn));

/* script.c: takes the first line off FAKEBHYVE_SCRIPT and does what it says */
void run_script(struct guest *guest) __attribute__((noreturn));

#endif
