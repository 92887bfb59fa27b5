/* Time in ticks of about 10 ms, and waiting without use of the host's CPU. */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include "io.h"

enum { CLOCK_TICKS_PER_TENTH = 10 };

void clock_init(void);

/* Waits for at most one tick. */
void clock_idle(void);
void clock_wait(u32 ticks);

/* The number of ticks, which the handler in start.S counts. */
extern volatile u32 clock_ticks;

#endif
