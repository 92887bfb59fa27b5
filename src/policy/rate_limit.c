/* The rate limit of automatic boots. */
#include "policy/rate_limit.h"

bool rate_limit_allows(
    const struct rate_limit *p, const struct restart_limit *limit, int64_t now_ms)
{
	int64_t oldest;

	if (limit->off || p->boots - p->forgotten < limit->count)
		return true;
	oldest = p->at_ms[(p->boots - limit->count) % MAX_RESTART_COUNT];
	return now_ms - p->waited_ms - oldest >= limit->within_ms;
}

int64_t rate_limit_delay(
    struct rate_limit *p, const struct backoff *backoff, enum cause cause, int64_t uptime_ms)
{
	double delay = (double)backoff->initial_ms;

	if (uptime_ms >= backoff->reset_after_ms)
		p->step = 0;
	/* A reboot by the guest has no delay. */
	if (backoff->off || cause == CAUSE_REBOOT)
		return 0;
	for (int i = 0; i < p->step && delay < (double)backoff->max_ms; i++)
		delay *= backoff->factor;
	if (p->step < 1000) /* far beyond any maximum */
		p->step++;
	return delay < (double)backoff->max_ms ? (int64_t)delay : backoff->max_ms;
}

void rate_limit_forget(struct rate_limit *p)
{
	p->forgotten = p->boots;
	p->step = 0;
}

void rate_limit_boot(struct rate_limit *p, int64_t now_ms, int64_t delay_ms)
{
	p->at_ms[p->boots++ % MAX_RESTART_COUNT] = now_ms - p->waited_ms;
	p->waited_ms += delay_ms;
}
