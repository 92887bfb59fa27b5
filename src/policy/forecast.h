/* What a policy will do, cause by cause: asked of the policy itself, so that it cannot lie. Pure.
 */
#ifndef POLICY_FORECAST_H
#define POLICY_FORECAST_H

#include "policy/policy.h"

/* What is done after one cause, for the first time. */
struct prospect {
	enum cause cause;
	int status; /* it holds for this status only, unlike the rest of its cause; -1: for all */
	struct decision decision; /* with its delay */
};

struct forecast {
	struct prospect *item;
	size_t count;
};

/*
 * Of a boot of this target with this spec, hooks aside.  Causes that it cannot end with are left
 * out: a loader's without one, given_up where nothing is limited; so is a stop request.
 */
void forecast_make(const struct policy_options *options, const struct spec *spec,
    const char *target, struct forecast *out);
void forecast_clear(struct forecast *o);

#endif
