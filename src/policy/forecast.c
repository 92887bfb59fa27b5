/* Forecasts what a policy decides, cause by cause. */
#include "policy/forecast.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/rate_limit.h"

struct forecast_input {
	const struct policy_options *options;
	const struct spec *spec;
	const char *target;
};

/* Decides what follows a cause at its first time, with its delay. */
static void ask(const struct forecast_input *in, enum cause cause, int status, struct decision *out)
{
	struct outcome outcome = { .cause = cause, .status = status };
	struct policy_question q = {
		.options = in->options, .spec = in->spec, .target = in->target, .outcome = &outcome
	};
	struct rate_limit fresh = { 0 };

	policy_decide(&q, out);
	if (out->boot && out->delay_ms < 0)
		out->delay_ms = rate_limit_delay(&fresh, &in->spec->backoff, cause);
	if (out->delay_ms < out->least_delay_ms)
		out->delay_ms = out->least_delay_ms;
	if (!out->boot)
		out->delay_ms = 0;
}

/* Adds a row, which takes the decision over. */
static void add_row(struct forecast *f, enum cause cause, int status, struct decision *decision)
{
	f->item = mem_resize(f->item, f->count + 1, sizeof(*f->item));
	f->item[f->count++] = (struct forecast_row){ cause, status, *decision };
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

static bool is_listed(const struct forecast_input *in, int status)
{
	return lists_status(&in->options->reboot_on, status) ||
	    lists_status(&in->spec->reboot_on, status) || spec_on_status(in->spec, status) != NULL;
}

/* Returns a status that no list names, whose decision is that of any error. */
static int plain_status(const struct forecast_input *in)
{
	for (int status = cause_status(CAUSE_ERROR); status <= MAX_STATUS; status++) {
		if (!is_listed(in, status))
			return status;
	}
	return cause_status(CAUSE_ERROR);
}

static bool same_decision(const struct decision *a, const struct decision *b)
{
	return a->boot == b->boot && (!a->boot || strcmp(a->target, b->target) == 0) &&
	    a->delay_ms == b->delay_ms && strcmp(a->by, b->by) == 0;
}

/* Adds the forecast of an error, and of statuses that lists treat as exceptions. */
static void add_error(const struct forecast_input *in, struct forecast *f)
{
	DECISION_AUTO struct decision all, like;

	ask(in, CAUSE_ERROR, plain_status(in), &all);
	ask(in, CAUSE_ERROR, plain_status(in), &like);
	add_row(f, CAUSE_ERROR, -1, &all);
	for (int status = cause_status(CAUSE_ERROR); status <= MAX_STATUS; status++) {
		if (!is_listed(in, status))
			continue;
		DECISION_AUTO struct decision one;

		ask(in, CAUSE_ERROR, status, &one);
		if (!same_decision(&one, &like))
			add_row(f, CAUSE_ERROR, status, &one);
	}
}

/* Returns whether a boot of this spec can end with the cause. */
static bool can_end(const struct forecast_input *in, enum cause cause)
{
	switch (cause) {
	case CAUSE_STOPPED:
		return false;
	case CAUSE_LOADER_FAILED:
		return in->spec->loader.type != LOADER_NONE;
	case CAUSE_NOT_READY:
		return in->spec->ready.within_ms != 0;
	case CAUSE_UNHEALTHY:
		return in->spec->alive.kind != PROBE_NONE;
	case CAUSE_TIMED_OUT:
		return in->spec->time_limit_ms != 0;
	case CAUSE_GIVEN_UP:
		return !in->spec->restart_limit.off && !in->options->no_reboot &&
		    in->options->reboot_count != 0;
	default:
		return true;
	}
}

void forecast_make(const struct policy_options *options, const struct spec *spec,
    const char *target, struct forecast *out)
{
	struct forecast_input in = { options, spec, target };

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < CAUSES; i++) {
		enum cause cause = (enum cause)i;
		struct decision decision;

		if (cause == CAUSE_ERROR) {
			add_error(&in, out);
		} else if (can_end(&in, cause)) {
			ask(&in, cause, cause_status(cause), &decision);
			add_row(out, cause, -1, &decision);
		}
	}
}

void forecast_clear(struct forecast *f)
{
	for (size_t i = 0; i < f->count; i++)
		decision_clear(&f->item[i].decision);
	free(f->item);
	memset(f, 0, sizeof(*f));
}
