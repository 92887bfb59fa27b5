/* From a decision to what comes next: the rate limit of boots, giving up, and what is said about
 * both. */
#include <stdlib.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "machine/decide.h"

static void say(struct machine *m, const struct decision *d)
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
	MEM_AUTO char *ends = history_report(m, (size_t)limit->count + 1);
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

static void limit(struct machine *m, struct decision *d)
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

static int final_status(const struct machine *m)
{
	if (m->decision.status >= 0)
		return m->decision.status;
	/* What was wrong with a spec that never booted says more than that it failed. */
	if (m->outcome.cause == CAUSE_CHECK_FAILED && m->fault_status != 0)
		return m->fault_status;
	return policy_exit_status(&m->outcome, m->exec_status);
}

/* Requests hold for one boot. */
static void forget_requests(struct machine *m)
{
	free(m->reboot_to);
	free(m->once_target);
	m->reboot_to = m->once_target = NULL;
}

static struct next follow(struct machine *m)
{
	if (m->decision.wait)
		return go(STATE_GIVEN_UP, -1);
	if (!m->decision.boot)
		return machine_end(m, final_status(m));
	forget_requests(m);
	free(m->next_target);
	m->next_target = mem_copy(m->decision.target);
	return go(STATE_WAITING, m->decision.delay_ms);
}

struct next decide_begin(struct machine *m)
{
	node_free(m->answer);
	m->answer = NULL;
	hook_call_begin(m, &hooks_exit, m->boot.spec);
	return stay();
}

struct next decide_answered(struct machine *m)
{
	struct policy_question q = { .options = &m->options.policy,
		.spec = m->boot.spec,
		.target = m->boot.target,
		.outcome = &m->outcome,
		.automatic_boots = m->rate_limit.boots,
		.stop_requested = m->stop_requested,
		.reboot_to = m->reboot_to,
		.once = m->once_target,
		.answer = m->answer,
		.hook = m->answer_label,
		.was_given_up = m->was_given_up };

	decision_clear(&m->decision);
	policy_decide(&q, &m->decision);
	if (m->reboot_to == NULL) /* nobody counts what was asked for */
		limit(m, &m->decision);
	say(m, &m->decision);
	if (m->outcome.cause == CAUSE_GIVEN_UP && m->state != STATE_GIVING_UP)
		return go(STATE_GIVING_UP, -1);
	return follow(m);
}

/* A reboot was asked for while on_exit was asked: its answer is not waited for. */
struct next decide_reboot(struct machine *m)
{
	hook_call_abandon(m);
	return decide_answered(m);
}

struct next decide_give_up(struct machine *m)
{
	history_add(m);
	hook_call_begin(m, &hooks_given_up, m->boot.spec);
	return stay();
}

struct next decide_given_up(struct machine *m)
{
	return follow(m);
}

struct next decide_reset(struct machine *m)
{
	struct decision *d = &m->decision;

	decision_clear(d);
	*d = (struct decision){ .boot = true,
		.target = mem_copy(m->refused_target),
		.status = -1,
		.by = mem_copy("reset") };
	rate_limit_forget(&m->rate_limit);
	rate_limit_boot(&m->rate_limit, machine_now(m), 0);
	say(m, d);
	return follow(m);
}

/* A reboot leads on as a reset does, and may name another target. */
struct next decide_reboot_given_up(struct machine *m)
{
	if (*m->reboot_to != '\0') {
		free(m->refused_target);
		m->refused_target = mem_copy(m->reboot_to);
	}
	return decide_reset(m);
}
