/* Asks a policy about every cause. */
#include "policy/forecast.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/rate_limit.h"

/* The first status of bhyve that is an error: each one below has a cause of its own. */
#define MIN_ERROR_STATUS ((int)CAUSE_ERROR)

struct question {
	const struct policy_options *options;
	const struct spec *spec;
	const char *target;
};

static void ask(const struct question *a, enum cause cause, int status, struct decision *out)
{
	struct outcome outcome = { .cause = cause, .status = status };
	struct policy_question q = {
		.options = a->options, .spec = a->spec, .target = a->target, .outcome = &outcome
	};
	struct rate_limit fresh = { 0 };

	policy_decide(&q, out);
	if (out->boot && out->delay_ms < 0)
		out->delay_ms = rate_limit_delay(&fresh, &a->spec->backoff, cause, 0);
	if (!out->boot)
		out->delay_ms = 0;
	/* The default decides only that it boots; next_target in the spec decides what. */
	if (out->by_next && strcmp(out->by, "default") == 0) {
		free(out->by);
		out->by = mem_copy("next_target");
	}
}

/* Takes the decision. */
static void add(struct forecast *o, enum cause cause, int status, struct decision *decision)
{
	o->item = mem_resize(o->item, o->count + 1, sizeof(*o->item));
	o->item[o->count++] = (struct prospect){ cause, status, *decision };
	memset(decision, 0, sizeof(*decision));
}

static bool lists_status(const struct reboot_list *list, int status)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->item[i].is_status && list->item[i].status == status)
			return true;
	}
	return false;
}

static bool is_listed(const struct question *a, int status)
{
	return lists_status(&a->options->reboot_on, status) ||
	    lists_status(&a->spec->reboot_on, status);
}

/* Returns a status that no list names: its decision is that of any error. */
static int plain_status(const struct question *a)
{
	for (int status = MIN_ERROR_STATUS; status <= MAX_STATUS; status++) {
		if (!is_listed(a, status))
			return status;
	}
	return MIN_ERROR_STATUS;
}

/* Adds the forecast of an error, and of statuses that lists treat as exceptions. */
static void add_error(const struct question *a, struct forecast *o)
{
	struct decision all;
	bool boots;

	ask(a, CAUSE_ERROR, plain_status(a), &all);
	boots = all.boot;
	add(o, CAUSE_ERROR, -1, &all);
	for (int status = MIN_ERROR_STATUS; status <= MAX_STATUS; status++) {
		if (!is_listed(a, status))
			continue;
		DECISION_AUTO struct decision one;

		ask(a, CAUSE_ERROR, status, &one);
		if (one.boot != boots)
			add(o, CAUSE_ERROR, status, &one);
	}
}

/* Tells whether a boot of this spec can end with the cause. */
static bool can_end(const struct question *a, enum cause cause)
{
	switch (cause) {
	case CAUSE_STOPPED:
		return false;
	case CAUSE_LOADER_FAILED:
		return a->spec->loader.type != LOADER_NONE;
	case CAUSE_GIVEN_UP:
		return !a->spec->restart_limit.off && !a->options->no_reboot &&
		    a->options->reboot_count != 0;
	default:
		return true;
	}
}

void forecast_make(const struct policy_options *options, const struct spec *spec,
    const char *target, struct forecast *out)
{
	struct question a = { options, spec, target };

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < CAUSES; i++) {
		enum cause cause = (enum cause)i;
		struct decision decision;

		if (cause == CAUSE_ERROR) {
			add_error(&a, out);
		} else if (can_end(&a, cause)) {
			ask(&a, cause, cause < CAUSE_ERROR ? i : -1, &decision);
			add(out, cause, -1, &decision);
		}
	}
}

void forecast_clear(struct forecast *o)
{
	for (size_t i = 0; i < o->count; i++)
		decision_clear(&o->item[i].decision);
	free(o->item);
	memset(o, 0, sizeof(*o));
}
