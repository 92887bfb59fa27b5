/* From a decision to what comes next: the rate limit of boots, giving up, and what is said about
 * both. */
#include <stdlib.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "policy/forecast.h"

void deciding_say(struct machine *m, const struct decision *d)
{
	struct event_record *r = event_add(m->events, VMRUN_DECIDED);

	r->event.boot = m->ends;
	event_ended(r, m->boot.target);
	r->event.action = decision_action(d);
	r->event.cause = cause_name(m->outcome.cause);
	r->event.cause_text = cause_text(m->outcome.cause);
	r->event.delay_ms = d->delay_ms < 0 ? 0 : d->delay_ms;
	event_target(r, d->target);
	event_by(r, d->by);
}

/* The boots of the window began with an end each, and one more is the present one. */
static void say_given_up(struct machine *m, const char *refused)
{
	const struct restart_limit *limit = &m->boot.spec->restart_limit;
	struct event_record *r = event_add(m->events, VMRUN_GIVEN_UP);
	MEM_AUTO char *ends = exits_report(m, (size_t)limit->count + 1);
	MEM_AUTO char *by = policy_limit_text(limit);

	r->event.cause = cause_name(CAUSE_GIVEN_UP);
	r->event.cause_text = cause_text(CAUSE_GIVEN_UP);
	event_target(r, refused);
	event_by(r, by);
	event_text(r, ends);
}

/* One boot too many: asks the policy what is to be done instead. */
static void give_up(struct machine *m, struct decision *d)
{
	struct policy_question q = { .options = &m->options.policy,
		.spec = m->boot.spec,
		.target = m->boot.target,
		.outcome = &m->outcome,
		.automatic_boots = m->rate_limit.boots,
		.was_given_up = m->was_given_up };

	say_given_up(m, d->target);
	m->outcome.cause = CAUSE_GIVEN_UP;
	free(m->refused_target);
	m->refused_target = mem_copy(d->target);
	decision_clear(d);
	policy_decide(&q, d);
	if (d->boot) {
		m->was_given_up = true;
		rate_limit_forget(&m->rate_limit);
	}
}

void deciding_limit(struct machine *m, struct decision *d)
{
	int64_t now = machine_now(m);

	if (d->boot && !rate_limit_allows(&m->rate_limit, &m->boot.spec->restart_limit, now))
		give_up(m, d);
	if (!d->boot)
		return;
	if (d->delay_ms < 0)
		d->delay_ms = rate_limit_delay(
		    &m->rate_limit, &m->boot.spec->backoff, m->outcome.cause, m->uptime_ms);
	rate_limit_boot(&m->rate_limit, now, d->delay_ms);
}

void deciding_reset(struct machine *m)
{
	struct decision *d = &m->decision;

	decision_clear(d);
	*d = (struct decision){ .boot = true,
		.target = mem_copy(m->refused_target),
		.status = -1,
		.by = mem_copy("reset") };
	rate_limit_forget(&m->rate_limit);
	rate_limit_boot(&m->rate_limit, machine_now(m), 0);
	deciding_say(m, d);
	boots_follow(m);
}

/* The hooks that are asked before the policy: "on_exit of vm.lua, on_exit of a.lua", or NULL. */
static char *asked_before(struct machine *m)
{
	struct words list = { 0 };
	struct str s = { 0 };

	boot_hooks(m->source, m->boot.spec, "on_exit", &list);
	for (size_t i = 0; i < list.count; i++)
		str_addf(&s, "%s%s", i == 0 ? "" : ", ", list.item[i]);
	words_free(&list);
	return s.length == 0 ? NULL : str_take(&s);
}

void deciding_foretell(struct machine *m)
{
	MEM_AUTO char *hooks = NULL;
	struct forecast forecast;

	if (m->foretold || m->simulation != NULL)
		return;
	m->foretold = true;
	hooks = asked_before(m);
	forecast_make(&m->options.policy, m->boot.spec, m->boot.target, &forecast);
	for (size_t i = 0; i < forecast.count; i++) {
		const struct prospect *p = &forecast.item[i];
		struct event_record *r = event_add(m->events, VMRUN_POLICY);

		r->event.cause = cause_name(p->cause);
		r->event.cause_text = cause_text(p->cause);
		r->event.status = p->status;
		r->event.action = decision_action(&p->decision);
		r->event.delay_ms = p->decision.delay_ms;
		event_target(r, p->decision.target);
		event_ended(r, m->boot.target);
		event_by(r, p->decision.by);
		event_text(r, hooks);
	}
	forecast_clear(&forecast);
}
