/* Forecasts the decision after each cause, by policy_decide() itself.  Pure. */
#ifndef POLICY_FORECAST_H
#define POLICY_FORECAST_H

#include "policy/policy.h"

/* The decision after the first occurrence of one cause. */
struct forecast_row {
	enum cause cause;
	int status;		  /* the only status of the cause with this decision; -1: all */
	struct decision decision; /* including its delay */
};

struct forecast {
	struct forecast_row *item;
	size_t count;
};

/*
 * Makes the forecast of a boot of this target with this spec, hooks aside.  Leaves out causes that
 * the boot cannot end with: loader_failed without a loader, not_ready, unhealthy and timed_out
 * without the keys that they come of, given_up without a limit, and a stop request.
 */
void forecast_make(const struct policy_options *options, const struct spec *spec,
    const char *target, struct forecast *out);
/* Frees the rows and zeroes the forecast. */
void forecast_clear(struct forecast *f);
#define FORECAST_AUTO __attribute__((cleanup(forecast_clear)))

#endif
