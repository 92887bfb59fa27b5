/* The decision after a boot: first answer wins. */
#include "run/policy.h"

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
	out->target = NULL;
	out->by = by;
}

static void boot(
    const struct policy_question *q, struct decision *out, const char *target, char *by)
{
	out->boot = true;
	if (target == NULL)
		target = q->spec->next_target != NULL ? q->spec->next_target : q->target;
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

static void follow_list(const struct policy_question *q, struct decision *out,
    const struct reboot_list *list, const char *by)
{
	if (reboot_list_has(list, q->outcome->cause, q->outcome->status))
		boot(q, out, NULL, mem_copy(by));
	else
		stop(out, mem_copy(by));
}

/* Limits of the command line, which no policy can lift. */
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
	else if (q->answer != NULL)
		follow_hook(q, out);
	else if (q->options->reboot_on.given)
		follow_list(q, out, &q->options->reboot_on, "--reboot-on");
	else if (q->spec->reboot_on.given)
		follow_list(q, out, &q->spec->reboot_on, "reboot_on");
	else if (q->outcome->cause == CAUSE_REBOOT)
		boot(q, out, NULL, mem_copy("default"));
	else
		stop(out, mem_copy("default"));
	apply_limits(q, out);
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
		return 3;
	case CAUSE_ERROR:
		return STATUS_FAULT;
	case CAUSE_START_FAILED:
	case CAUSE_LOADER_FAILED:
		return exec_status != 0 ? exec_status : STATUS_FAULT;
	case CAUSE_CHECK_FAILED:
		return STATUS_CHECK;
	case CAUSE_GIVEN_UP:
		return STATUS_GIVEN_UP;
	case CAUSE_KILLED:
		return 128 + outcome->signal;
	default:
		return STATUS_OK;
	}
}
