/* Time that only goes forward, with which every wait and every uptime is measured; and the date. */
#ifndef PLATFORM_CLOCK_H
#define PLATFORM_CLOCK_H

#include <stdint.h>

/* Returns CLOCK_MONOTONIC in milliseconds. */
int64_t clock_ms(void);
/* Returns the date in milliseconds since 1970, UTC: for messages, never for waits. */
int64_t clock_date_ms(void);
/*
 * Returns the time until then, as poll() takes it: 0 when it has passed, at most INT_MAX; -1 for a
 * negative time.
 */
int clock_left_ms(int64_t at_ms);
/* Returns the time that is `limit_ms` from now; -1, never, for a negative limit or one too long. */
int64_t clock_deadline_ms(int64_t limit_ms);
/* Returns the earlier of two times, each of which may be negative: never. */
int64_t clock_earlier(int64_t a, int64_t b);
/* Sleeps for that time, whatever signals arrive: not for a loop that watches anything. */
void clock_sleep(int64_t ms);

#endif
