/* Time that only goes forward, and the date. */
#include "platform/clock.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

static int64_t read_ms(clockid_t clock)
{
	struct timespec now;

	/* Cannot fail: both systems have these clocks. */
	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_date_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int clock_left_ms(int64_t at_ms)
{
	int64_t now;

	if (at_ms < 0)
		return -1;
	now = clock_ms();
	if (at_ms <= now)
		return 0;
	return at_ms - now < INT_MAX ? (int)(at_ms - now) : INT_MAX;
}

int64_t clock_deadline_ms(int64_t limit_ms)
{
	int64_t now = clock_ms();

	return limit_ms < 0 || limit_ms > INT64_MAX - now ? -1 : now + limit_ms;
}

int64_t clock_earlier(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

void clock_sleep(int64_t ms)
{
	struct timespec left = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}
