/* The decision after a boot: the first rule that decides wins. */
#include "policy/policy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

static void stop(struct decision *out, char *by)
{
	free(out->by);
	free(out->target);
	out->boot = false;
	out->by_next = false;
	out->target = NULL;
	out->by = by;
}

static void boot(
    const struct policy_question *q, struct decision *out, const char *target, char *by)
{
	out->boot = true;
	out->by_next = target == NULL && q->spec->next_target != NULL;
	if (target == NULL)
		target = out->by_next ? q->spec->next_target : q->target;
	out->target = mem_copy(target);
	out->by = by;
}

static void follow_hook(const struct policy_question *q, struct decision *out)
{
	const char *action = node_get_text(q->answer, "action");
	const struct node *delay = node_get(q->answer, "delay");
	const struct node *status = node_get(q->answer, "status");

	if (delay != NULL)
		out->delay_ms = delay->kind == NODE_INT ? delay->integer * 1000
							: (int64_t)(delay->number * 1000);
	if (status != NULL && status->kind == NODE_INT)
		out->status = (int)status->integer;
	if (action != NULL && strcmp(action, "boot") == 0)
		boot(q, out, node_get_text(q->answer, "target"), mem_copy(q->hook));
	else
		stop(out, mem_copy(q->hook));
}

/* Follows a reboot request, without a delay. */
static void follow_request(const struct policy_question *q, struct decision *out)
{
	boot(q, out, *q->reboot_to == '\0' ? NULL : q->reboot_to, mem_copy(BY_REBOOT_REQUEST));
	out->delay_ms = 0;
}

static void follow_list(const struct policy_question *q, struct decision *out,
    const struct reboot_list *list, const char *by)
{
	if (reboot_list_has(list, q->outcome->cause, q->outcome->status))
		boot(q, out, NULL, mem_copy(by));
	else
		stop(out, mem_copy(by));
}

/* Follows an entry of `on`. */
static void follow_action(
    const struct policy_question *q, struct decision *out, const struct action *action, char *by)
{
	out->wait = action->kind == ACTION_WAIT;
	if (action->kind == ACTION_STOP || action->kind == ACTION_WAIT)
		stop(out, by);
	else
		boot(q, out,
		    action->kind == ACTION_SAME		? q->target
			: action->kind == ACTION_TARGET ? action->target
							: NULL,
		    by);
	if (out->boot && action->delay.given)
		out->delay_ms = action->delay.ms;
}

/* Follows on.given_up: stops or waits, or boots another target, as often as `times` says. */
static void follow_given_up(const struct policy_question *q, struct decision *out)
{
	const struct action *action = &q->spec->on[CAUSE_GIVEN_UP];
	bool always = action->times == 0;
	bool spent = action->kind == ACTION_TARGET && !always && q->given_up_boots >= action->times;

	if (action->kind == ACTION_NONE || spent) {
		stop(out, mem_copy("restart_limit"));
		return;
	}
	follow_action(q, out, action, mem_copy("on.given_up"));
	if (action->kind == ACTION_TARGET && always)
		out->least_delay_ms = GIVEN_UP_LEAST_DELAY_MS;
}

/* Follows the entry of `on` for the status of an error, else for the cause, if there is one. */
static bool follow_on(const struct policy_question *q, struct decision *out)
{
	enum cause cause = q->outcome->cause;
	const struct action *action =
	    cause == CAUSE_ERROR ? spec_on_status(q->spec, q->outcome->status) : NULL;

	if (action != NULL) {
		follow_action(q, out, action, mem_format("on.%d", q->outcome->status));
		return true;
	}
	action = &q->spec->on[cause];
	if (action->kind == ACTION_NONE)
		return false;
	follow_action(q, out, action, mem_format("on.%s", cause_name(cause)));
	return true;
}

static void follow_spec(const struct policy_question *q, struct decision *out)
{
	if (follow_on(q, out))
		return;
	if (q->spec->reboot_on.given)
		follow_list(q, out, &q->spec->reboot_on, "reboot_on");
	else if (q->outcome->cause == CAUSE_REBOOT)
		boot(q, out, NULL,
		    mem_copy(q->spec->next_target != NULL ? "next_target" : "default"));
	else
		stop(out, mem_copy("default"));
}

/*
 * Changes the target of a boot to the requested one; the request does not decide whether it boots.
 */
static void boot_once(const struct policy_question *q, struct decision *out)
{
	free(out->target);
	free(out->by);
	out->target = mem_copy(q->once);
	out->by_next = false;
	out->by = mem_copy(BY_NEXT_REQUEST);
}

/* Applies the limits of the command line, which override every policy. */
static void apply_limits(const struct policy_question *q, struct decision *out)
{
	if (!out->boot)
		return;
	if (q->options->no_reboot)
		stop(out, mem_copy("--no-reboot"));
	else if (q->options->reboot_count >= 0 && q->automatic_boots >= q->options->reboot_count)
		stop(out, mem_format("--reboot-count %" PRId64, q->options->reboot_count));
}

void policy_decide(const struct policy_question *q, struct decision *out)
{
	memset(out, 0, sizeof(*out));
	out->status = -1;
	out->delay_ms = -1;
	if (q->stop_requested)
		stop(out, mem_copy("the stop request"));
	else if (q->reboot_to != NULL)
		follow_request(q, out);
	else if (q->outcome->cause == CAUSE_GIVEN_UP)
		follow_given_up(q, out);
	else if (q->answer != NULL)
		follow_hook(q, out);
	else if (q->options->reboot_on.given)
		follow_list(q, out, &q->options->reboot_on, "--reboot-on");
	else
		follow_spec(q, out);
	if (q->reboot_to == NULL || q->reboot_is_automatic)
		apply_limits(q, out);
	if (out->boot && q->once != NULL)
		boot_once(q, out);
}

const char *decision_action(const struct decision *d)
{
	return d->boot ? "boot" : d->wait ? "wait" : "stop";
}

void decision_clear(struct decision *d)
{
	free(d->target);
	free(d->by);
	memset(d, 0, sizeof(*d));
}

int policy_exit_status(const struct outcome *outcome, int exec_status)
{
	switch (outcome->cause) {
	case CAUSE_TRIPLE_FAULT:
		return STATUS_TRIPLE_FAULT;
	case CAUSE_ERROR:
		return STATUS_FAULT;
	case CAUSE_START_FAILED:
	case CAUSE_LOADER_FAILED:
		return exec_status != 0 ? exec_status : STATUS_FAULT;
	case CAUSE_NOT_READY:
	case CAUSE_UNHEALTHY:
	case CAUSE_TIMED_OUT:
		return STATUS_UNFIT;
	case CAUSE_CHECK_FAILED:
		return STATUS_CHECK;
	case CAUSE_GIVEN_UP:
		return STATUS_GIVEN_UP;
	case CAUSE_KILLED:
		return STATUS_SIGNAL_BASE + outcome->signal;
	default:
		return STATUS_OK;
	}
}
