/* Time in ticks of about 10 ms, and waiting that leaves the host's CPU alone. */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include "io.h"

enum { CLOCK_TICKS_PER_TENTH = 10 };

void clock_init(void);

/* Let at most one tick go by. */
void clock_idle(void);
void clock_wait(u32 ticks);

/* What the tick's handler in start.S counts. */
extern volatile u32 clock_ticks;

#endif
