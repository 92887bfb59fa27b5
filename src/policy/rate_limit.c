/* The rate limit of automatic boots. */
#include "policy/rate_limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_BACKOFF_STEPS 1000 /* after these the delay stops growing, even below its maximum */

bool rate_limit_allows(
    const struct rate_limit *r, const struct restart_limit *limit, int64_t now_ms)
{
	int64_t oldest;

	if (limit->off || r->boots - r->forgotten < limit->count)
		return true;
	oldest = r->at_ms[(r->boots - limit->count) % MAX_RESTART_COUNT];
	return now_ms - r->waited_ms - oldest >= limit->within_ms;
}

void rate_limit_exit(struct rate_limit *r, const struct backoff *backoff, int64_t uptime_ms)
{
	if (uptime_ms >= backoff->reset_after_ms)
		r->step = 0;
}

int64_t rate_limit_delay(struct rate_limit *r, const struct backoff *backoff, enum cause cause)
{
	double delay = (double)backoff->initial_ms;

	/* A reboot by the guest has no delay. */
	if (backoff->off || cause == CAUSE_REBOOT)
		return 0;
	for (int i = 0; i < r->step && delay < (double)backoff->max_ms; i++)
		delay *= backoff->factor;
	if (r->step < MAX_BACKOFF_STEPS)
		r->step++;
	return delay < (double)backoff->max_ms ? (int64_t)delay : backoff->max_ms;
}

void rate_limit_forget(struct rate_limit *r)
{
	r->forgotten = r->boots;
	r->step = 0;
}

void rate_limit_boot(struct rate_limit *r, int64_t now_ms, int64_t delay_ms)
{
	const size_t place = (size_t)(r->boots % MAX_RESTART_COUNT);

	if (r->boots < MAX_RESTART_COUNT) /* most VMs never come that far */
		r->at_ms = mem_grow(r->at_ms, place, sizeof(*r->at_ms));
	r->at_ms[place] = now_ms - r->waited_ms;
	r->boots++;
	r->waited_ms += delay_ms;
}

void rate_limit_cut_delay(struct rate_limit *r, int64_t rest_ms)
{
	r->waited_ms -= rest_ms;
}

void rate_limit_free(struct rate_limit *r)
{
	free(r->at_ms);
	memset(r, 0, sizeof(*r));
}
