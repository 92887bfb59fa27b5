/* How fast a VM may boot again by itself: the limit of a time window, and growing delays. Pure. */
#ifndef POLICY_PACE_H
#define POLICY_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/spec.h"

struct pace {
	int64_t boots;			   /* automatic ones so far */
	int64_t at_ms[RESTART_LIMIT_MOST]; /* of the last ones, a ring */
	int64_t waited_ms;		   /* spent in delays: not counted in the window */
	int step;			   /* of the growing delay */
	int64_t forgotten; /* so many of the first boots count in no window any more */
};

/* False: with this boot there would be more than limit->count of them within its window. */
bool pace_allows(const struct pace *p, const struct restart_limit *limit, int64_t now_ms);
/* How long to wait before the boot after this cause; a boot that stayed up starts over. */
int64_t pace_delay(
    struct pace *p, const struct backoff *backoff, enum cause cause, int64_t uptime_ms);
/* The window and the delays start anew; how many boots there were stays. */
void pace_forget(struct pace *p);
/* Remembers an automatic boot that is decided. */
void pace_boot(struct pace *p, int64_t now_ms, int64_t delay_ms);

#endif
