/* The ways a machine ends, and the button that asks for one of them. */
#ifndef GUEST_POWER_H
#define GUEST_POWER_H

#include "io.h"

/* Finds out which machine this is: before any of the others. */
void power_init(void);

/* These say what did not work, and then return. */
void power_off(void);
void power_reset(void);
void power_reset_keyboard(void);

void power_triple_fault(void) __attribute__((noreturn));
void power_halt(void) __attribute__((noreturn));
void power_run_void(void) __attribute__((noreturn));

/* From this call on a press of the power button is kept until it is asked for. */
void power_button_arm(void);
bool power_button_pressed(void);

#endif
