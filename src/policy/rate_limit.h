/* Limits automatic boots: their number within a time window, and growing delays.  Pure. */
#ifndef POLICY_RATE_LIMIT_H
#define POLICY_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/spec.h"

struct rate_limit {
	int64_t boots;	   /* automatic boots so far */
	int64_t *at_ms;	   /* of the last MAX_RESTART_COUNT boots, a ring */
	int64_t waited_ms; /* spent in delays, which do not count in the window */
	int step;	   /* of the growing delay */
	int64_t forgotten; /* number of earlier boots that no window counts */
};

/* Returns whether one more boot stays within limit->count boots per window. */
bool rate_limit_allows(
    const struct rate_limit *r, const struct restart_limit *limit, int64_t now_ms);
/* Resets the growing delay after a boot that stayed up, whatever follows that boot. */
void rate_limit_exit(struct rate_limit *r, const struct backoff *backoff, int64_t uptime_ms);
/* Returns the delay before the boot after this cause. */
int64_t rate_limit_delay(struct rate_limit *r, const struct backoff *backoff, enum cause cause);
/* Resets the window and the delay, not the number of boots. */
void rate_limit_forget(struct rate_limit *r);
/* Records an automatic boot that is decided. */
void rate_limit_boot(struct rate_limit *r, int64_t now_ms, int64_t delay_ms);
/* Takes back the rest of the last delay, which is not waited. */
void rate_limit_cut_delay(struct rate_limit *r, int64_t rest_ms);
void rate_limit_free(struct rate_limit *r);

#endif
