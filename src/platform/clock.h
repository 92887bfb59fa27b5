/* Time that only goes forward, with which every wait and every uptime is measured; and the date. */
#ifndef PLATFORM_CLOCK_H
#define PLATFORM_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in milliseconds. */
int64_t clock_ms(void);
/* What a clock on the wall shows, in milliseconds since 1970, UTC: to be told, never waited for. */
int64_t clock_date_ms(void);
/* How long until then, as poll() takes it: 0 when it has come, at most INT_MAX; negative: -1. */
int clock_left_ms(int64_t at_ms);
/* Does nothing for so long, whatever signals come: not for a loop that has anything to watch. */
void clock_sleep(int64_t ms);

#endif
