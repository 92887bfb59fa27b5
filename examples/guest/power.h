/* The ways to end the machine, and its power button. */
#ifndef GUEST_POWER_H
#define GUEST_POWER_H

#include "io.h"

/* Detects the machine; call this before the other functions. */
void power_init(void);

/* These return only after a failure, which they print. */
void power_off(void);
void power_reset(void);
void power_reset_keyboard(void);

void power_triple_fault(void) __attribute__((noreturn));
void power_halt(void) __attribute__((noreturn));
void power_run_void(void) __attribute__((noreturn));

/* Makes the machine record a press of the power button until the guest reads it. */
void power_button_arm(void);
bool power_button_pressed(void);

#endif
