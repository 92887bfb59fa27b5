/* Decides what follows the end of a boot: asks on_exit and the policy, applies the rate limit. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "machine/decide.h"
#include "policy/forecast.h"

/* The longest delay of an answer: a year, as in vmrun.boot(). */
#define MAX_DELAY_MS ((int64_t)366 * 86400 * 1000)

static void say(struct machine *m, const struct decision *d)
{
	struct event_record *r = event_add(m->events, VMRUN_DECIDED);

	r->event.boot = m->history.ends;
	event_ended(r, m->boot.target);
	r->event.action = decision_action(d);
	machine_event_cause(r, m->history.outcome.cause);
	r->event.delay_ms = d->delay_ms < 0 ? 0 : d->delay_ms;
	event_target(r, d->target);
	event_by(r, d->by);
	history_note_boot(m, decision_action(d), d->target, d->by);
}

void machine_decide_again(struct machine *m, const char *target, int64_t delay_ms, const char *by)
{
	struct decision again = { .boot = true,
		.target = mem_copy(target),
		.delay_ms = delay_ms < 0 ? 0 : delay_ms,
		.status = -1,
		.by = mem_copy(by) };

	decision_clear(&m->choice.decision);
	m->choice.decision = again;
	say(m, &again);
}

/* Reports the exits in the window of the rate limit: one before each boot, and the present one. */
static void say_given_up(struct machine *m, const char *refused)
{
	const struct restart_limit *limit = &m->boot.spec->restart_limit;
	struct event_record *r = event_add(m->events, VMRUN_GIVEN_UP);
	MEM_AUTO char *ends = history_report(m, (size_t)limit->count + 1);

	machine_event_cause(r, CAUSE_GIVEN_UP);
	event_target(r, refused);
	event_by(r, "restart_limit");
	r->event.boot = limit->count;
	r->event.delay_ms = limit->within_ms;
	event_text(r, ends);
}

/* Asks the policy what to do in place of a boot that the rate limit refuses. */
static void give_up(struct machine *m, struct decision *d)
{
	struct policy_question q = { .options = &m->options.policy,
		.spec = m->boot.spec,
		.target = m->boot.target,
		.outcome = &m->history.outcome,
		.automatic_boots = m->choice.rate_limit.boots,
		.given_up_boots = m->choice.given_up_boots,
		.once = m->requests.once_target };

	say_given_up(m, d->target);
	free(m->requests.reboot_to); /* that of a hook: it is the boot that is refused */
	m->requests.reboot_to = NULL;
	m->history.outcome.cause = CAUSE_GIVEN_UP;
	free(m->choice.refused_target);
	m->choice.refused_target = mem_copy(d->target);
	decision_clear(d);
	policy_decide(&q, d);
	if (d->boot) {
		m->choice.given_up_boots++;
		rate_limit_forget(&m->choice.rate_limit);
	}
}

static void limit(struct machine *m, struct decision *d)
{
	int64_t now = machine_now(m);

	if (d->boot && !rate_limit_allows(&m->choice.rate_limit, &m->boot.spec->restart_limit, now))
		give_up(m, d);
	if (!d->boot)
		return;
	if (d->delay_ms < 0)
		d->delay_ms = rate_limit_delay(
		    &m->choice.rate_limit, &m->boot.spec->backoff, m->history.outcome.cause);
	if (d->delay_ms < d->least_delay_ms)
		d->delay_ms = d->least_delay_ms;
	rate_limit_boot(&m->choice.rate_limit, now, d->delay_ms);
}

static int final_status(const struct machine *m)
{
	if (m->choice.decision.status >= 0)
		return m->choice.decision.status;
	/* For a spec that never booted, the status of its errors says more than check_failed. */
	if (m->history.outcome.cause == CAUSE_CHECK_FAILED && m->draft.fault_status != 0)
		return m->draft.fault_status;
	return machine_own_status(m, policy_exit_status(&m->history.outcome, m->run.exec_status));
}

/* Forgets the requests of reboot and next, which apply to one boot. */
static void forget_requests(struct machine *m)
{
	free(m->requests.reboot_to);
	free(m->requests.once_target);
	m->requests.reboot_to = m->requests.once_target = NULL;
}

static struct next follow(struct machine *m)
{
	if (m->choice.decision.wait)
		return go(STATE_GIVEN_UP, -1);
	if (!m->choice.decision.boot)
		return machine_end(m, final_status(m));
	forget_requests(m);
	free(m->choice.next_target);
	m->choice.next_target = mem_copy(m->choice.decision.target);
	return go(STATE_WAITING, m->choice.decision.delay_ms);
}

/* Lists who decides before the policy, "the program, on_exit of vm.lua", or returns NULL. */
static char *asked_before(struct machine *m)
{
	struct words list = { 0 };
	struct str s = { 0 };

	boot_hooks(m->source, m->boot.spec, "on_exit", &list);
	if (m->options.decide != NULL)
		str_add(&s, "the program");
	for (size_t i = 0; i < list.count; i++)
		str_addf(&s, "%s%s", s.length == 0 ? "" : ", ", list.item[i]);
	words_free(&list);
	return s.length == 0 ? NULL : str_take(&s);
}

void machine_say_forecast(struct machine *m)
{
	MEM_AUTO char *hooks = NULL;
	struct forecast forecast;

	if (m->choice.forecast_told || m->options.simulation != NULL)
		return;
	m->choice.forecast_told = true;
	hooks = asked_before(m);
	forecast_make(&m->options.policy, m->boot.spec, m->boot.target, &forecast);
	for (size_t i = 0; i < forecast.count; i++) {
		const struct forecast_row *p = &forecast.item[i];
		struct event_record *r = event_add(m->events, VMRUN_POLICY);

		machine_event_cause(r, p->cause);
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

struct next decide_begin(struct machine *m)
{
	companions_end_boot(&m->companions); /* of a boot that failed before it ran */
	/* on_started and on_ready have their time to see that the boot has ended. */
	return calls_last(&m->calls) ? stay() : decide_ask(m);
}

/* Prepares the boot again whose start has lost its port, unless a request came meanwhile. */
static struct next start_again(struct machine *m)
{
	m->run.starts_again = false;
	if (m->requests.stop)
		return machine_end_stopped(m);
	if (m->requests.reboot_to != NULL)
		return machine_reboot_waiting(m);
	free(m->choice.next_target);
	m->choice.next_target = NULL;
	return go(STATE_WAITING, 0);
}

/* Returns why an answer of the program cannot be followed, or NULL.  Caller frees. */
static char *answer_fault(const struct machine *m, const struct vmrun_decision *d)
{
	ERROR_AUTO struct error err = { 0 };

	if (d->action == VMRUN_DECIDE_BOOT && machine_check_target(m, d->target, &err) != 0)
		return mem_copy(err.text);
	if (d->action == VMRUN_DECIDE_STOP && (d->exit_status < -1 || d->exit_status > UINT8_MAX))
		return mem_format(
		    "the exit status %d is out of range: expected 0 to 255", d->exit_status);
	if (d->action == VMRUN_DECIDE_BOOT && (d->delay_ms < -1 || d->delay_ms > MAX_DELAY_MS))
		return mem_format("the delay of %" PRId64 " ms is out of range: expected 0 to "
				  "%" PRId64,
		    d->delay_ms, MAX_DELAY_MS);
	if (d->action != VMRUN_DECIDE_BOOT && d->action != VMRUN_DECIDE_STOP)
		return mem_format("unknown action %d", (int)d->action);
	return NULL;
}

/* Returns an answer in the form of those of hooks. */
static struct node *answer_node(const struct vmrun_decision *d)
{
	struct node *answer = node_new(NODE_OBJECT);
	bool boots = d->action == VMRUN_DECIDE_BOOT;

	node_put(answer, "action", node_string(boots ? "boot" : "stop"));
	if (boots && d->target != NULL)
		node_put(answer, "target", node_string(d->target));
	if (boots && d->delay_ms >= 0)
		node_put(answer, "delay", node_number((double)d->delay_ms / 1000));
	if (!boots && d->exit_status >= 0)
		node_put(answer, "status", node_int(d->exit_status));
	return answer;
}

/* Asks the program that uses the library.  Returns whether it has decided. */
static bool ask_program(struct machine *m)
{
	const struct outcome *outcome = &m->history.outcome;
	struct vmrun_decision d = { .vm = m->source->name,
		.ended = m->boot.target,
		.cause = cause_name(outcome->cause),
		.cause_code = machine_cause_code(outcome->cause),
		.status = outcome->status,
		.signal = outcome->signal,
		.uptime_ms = m->history.uptime_ms,
		.boots = m->history.boots,
		.delay_ms = -1,
		.exit_status = -1 };
	MEM_AUTO char *fault = NULL;

	if (m->options.decide == NULL || m->requests.stop || m->requests.reboot_to != NULL)
		return false;
	m->options.decide(&d, m->options.decide_context);
	if (d.action == VMRUN_DECIDE_NOTHING)
		return false;
	fault = answer_fault(m, &d);
	if (fault != NULL) {
		MEM_AUTO char *text = mem_format(
		    "the answer of the program is ignored: %s; hooks and the policy decide", fault);

		machine_warn(m, text);
		return false;
	}
	m->choice.answer = answer_node(&d);
	free(m->choice.answer_label);
	m->choice.answer_label = mem_copy("the program");
	return true;
}

struct next decide_ask(struct machine *m)
{
	calls_end_commands(&m->calls);
	/* The calls that lasted ended before: their end must not ask on_exit again. */
	m->calls.lasting_ended = false;
	if (m->run.starts_again)
		return start_again(m);
	node_free(m->choice.answer);
	m->choice.answer = NULL;
	if (ask_program(m))
		return decide_hook_ended(m);
	hooks_call(m, &hooks_exit, m->boot.spec);
	return stay();
}

/* Starts counting anew after a boot that lasted. */
static void count_anew(struct machine *m)
{
	rate_limit_exit(&m->choice.rate_limit, &m->boot.spec->backoff, m->history.uptime_ms);
	if (m->history.uptime_ms >= m->boot.spec->restart_limit.within_ms)
		m->choice.given_up_boots = 0;
}

struct next decide_hook_ended(struct machine *m)
{
	struct policy_question q = { .options = &m->options.policy,
		.spec = m->boot.spec,
		.target = m->boot.target,
		.outcome = &m->history.outcome,
		.automatic_boots = m->choice.rate_limit.boots,
		.stop_requested = m->requests.stop,
		.reboot_to = m->requests.reboot_to,
		.reboot_is_automatic = m->requests.is_automatic,
		.once = m->requests.once_target,
		.answer = m->choice.answer,
		.hook = m->choice.answer_label };

	count_anew(m);
	decision_clear(&m->choice.decision);
	policy_decide(&q, &m->choice.decision);
	/* Reboots that a person requests do not count for the rate limit. */
	if (m->requests.reboot_to == NULL || m->requests.is_automatic)
		limit(m, &m->choice.decision);
	say(m, &m->choice.decision);
	if (m->history.outcome.cause == CAUSE_GIVEN_UP && m->present.state != STATE_GIVING_UP)
		return go(STATE_GIVING_UP, -1);
	return follow(m);
}

/* Decides at once when a reboot is requested while on_exit runs, without its answer. */
struct next decide_reboot(struct machine *m)
{
	calls_abandon(&m->calls);
	return m->run.starts_again ? start_again(m) : decide_hook_ended(m);
}

/* Decides at once when a stop is requested while on_exit runs, as after one in the cleanup. */
struct next decide_stop(struct machine *m)
{
	calls_abandon(&m->calls);
	machine_request_stop(m);
	if (m->run.starts_again)
		return start_again(m);
	m->history.outcome.cause = CAUSE_STOPPED;
	return decide_hook_ended(m);
}

/*
 * Boots the target that the rate limit refused, or that of the next request, and counts automatic
 * boots anew: this one is among them if a hook asked for it.
 */
static struct next boot_refused(struct machine *m, const char *by)
{
	const char *target = m->requests.once_target;

	rate_limit_forget(&m->choice.rate_limit);
	if (m->requests.is_automatic)
		rate_limit_boot(&m->choice.rate_limit, machine_now(m), 0);
	machine_decide_again(m, target != NULL ? target : m->choice.refused_target, 0, by);
	return follow(m);
}

struct next decide_give_up(struct machine *m)
{
	history_add(m);
	m->requests.reset = false;
	hooks_call(m, &hooks_given_up, m->boot.spec);
	return stay();
}

struct next decide_give_up_hook_ended(struct machine *m)
{
	const struct decision *d = &m->choice.decision;
	const char *once = m->requests.once_target;

	if (d->wait && m->requests.reset)
		return boot_refused(m, "reset");
	/* The request came after the decision, as in the state waiting. */
	if (d->boot && once != NULL && strcmp(d->target, once) != 0)
		machine_decide_again(m, once, d->delay_ms, BY_NEXT_REQUEST);
	return follow(m);
}

struct next decide_reset(struct machine *m)
{
	return boot_refused(m, "reset");
}

/* Keeps the request: the event has told that vmrun waits for one, but hooks still hear of it. */
struct next decide_reset_later(struct machine *m)
{
	m->requests.reset = true;
	return stay();
}

/* Ends the state given_up as a reset does, with the target of the request if it names one. */
struct next decide_reboot_given_up(struct machine *m)
{
	if (*m->requests.reboot_to != '\0') {
		free(m->choice.refused_target);
		m->choice.refused_target = mem_copy(m->requests.reboot_to);
	}
	return boot_refused(m, BY_REBOOT_REQUEST);
}

/* Boots at once in place of the boot that was decided, with the target of the request. */
struct next decide_reboot_waiting(struct machine *m)
{
	const char *to = m->requests.reboot_to, *next = m->choice.next_target;

	/* Nothing is decided before a boot has ended, nor for a boot that starts again. */
	if (m->history.ends > 0 && next != NULL)
		machine_decide_again(m, *to != '\0' ? to : next, 0, BY_REBOOT_REQUEST);
	return machine_reboot_waiting(m);
}
