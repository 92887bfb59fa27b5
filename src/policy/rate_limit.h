/* How fast a VM may boot again by itself: the limit of a time window, and growing delays. Pure. */
#ifndef POLICY_RATE_LIMIT_H
#define POLICY_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/spec.h"

struct rate_limit {
	int64_t boots;			  /* automatic ones so far */
	int64_t at_ms[MAX_RESTART_COUNT]; /* of the last ones, a ring */
	int64_t waited_ms;		  /* spent in delays: not counted in the window */
	int step;			  /* of the growing delay */
	int64_t forgotten; /* so many of the first boots count in no window any more */
};

/* False: with this boot there would be more than limit->count of them within its window. */
bool rate_limit_allows(
    const struct rate_limit *p, const struct restart_limit *limit, int64_t now_ms);
/* How long to wait before the boot after this cause; a boot that stayed up starts over. */
int64_t rate_limit_delay(
    struct rate_limit *p, const struct backoff *backoff, enum cause cause, int64_t uptime_ms);
/* The window and the delays start anew; how many boots there were stays. */
void rate_limit_forget(struct rate_limit *p);
/* Remembers an automatic boot that is decided. */
void rate_limit_boot(struct rate_limit *p, int64_t now_ms, int64_t delay_ms);

#endif
