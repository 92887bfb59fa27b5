/* The hooks of a machine: their arguments, and how their answers are used. */
#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "machine/machine_inside.h"

static struct boot_facts facts_of_draft(const struct machine *m)
{
	struct boot_facts facts = { .boots = m->history.boots };

	if (m->history.count > 0)
		facts.previous_cause = cause_name(m->history.outcome.cause);
	return facts;
}

static struct node *prepare_facts(const struct machine *m)
{
	struct boot_facts facts = facts_of_draft(m);

	return boot_prepare_argument(m->source, &m->draft.boot, &facts);
}

static bool answer_prepare(struct machine *m, const char *label, struct node *answer)
{
	(void)label;
	return boot_change(m->source, &m->draft.boot, answer, &m->draft.faults) == 0;
}

static bool fail_prepare(struct machine *m, const char *label, struct error *err)
{
	err->status = STATUS_CHECK;
	(void)error_prefix(err, "%s", label);
	report_take(&m->draft.faults, NULL, err);
	return false;
}

const struct hook_functions hooks_prepare = {
	"on_prepare",
	prepare_facts,
	answer_prepare,
	fail_prepare,
};

/* Adds the resolved spec as --print spec shows it. */
static void put_spec(const struct machine *m, struct node *facts)
{
	MEM_AUTO char *json = spec_print(m->boot.spec);

	node_put(facts, "spec", json_node(json));
}

static struct node *boot_facts(const struct machine *m)
{
	struct node *facts = node_new(NODE_OBJECT);

	node_put(facts, "vm", node_string(m->boot.plan.vm));
	node_put(facts, "target", node_string(m->boot.target));
	node_put(facts, "boots", node_int(m->history.boots));
	node_put(facts, "hypervisor", node_string(m->boot.plan.hyper->name));
	if (m->run.child.job.pid != 0)
		node_put(facts, "pid", node_int(m->run.child.job.pid));
	if (m->history.count > 0)
		node_put(
		    facts, "previous_cause", node_string(cause_name(m->history.outcome.cause)));
	put_spec(m, facts);
	node_put(facts, "devices", chosen_devices(&m->boot));
	return facts;
}

/* Stores the reason of a refused boot, or the target to boot in its place. Takes both strings. */
static void store_answer(struct machine *m, char *target, char *refusal)
{
	free(m->draft.instead);
	free(m->draft.refusal);
	m->draft.instead = target;
	m->draft.refusal = refusal;
}

static bool answer_start(struct machine *m, const char *label, struct node *answer)
{
	const char *reason = node_get_text(answer, "reason");
	const char *target = node_get_text(answer, "target");

	if (target != NULL)
		store_answer(m, mem_copy(target),
		    mem_format("%s boots %s in place of %s", label, target, m->boot.target));
	else
		store_answer(m, NULL,
		    mem_format("%s refused the boot%s%s", label, reason == NULL ? "" : ": ",
			reason == NULL ? "" : reason));
	return false;
}

/* Refuses the boot, because a hook that failed has not allowed it. */
static bool fail_start(struct machine *m, const char *label, struct error *err)
{
	int first_line = (int)strcspn(err->text, "\n");

	hook_call_say_failure(m, label, err);
	store_answer(m, NULL,
	    mem_format("%s refused the boot: it failed: %.*s", label, first_line, err->text));
	return false;
}

const struct hook_functions hooks_start = {
	"on_start",
	boot_facts,
	answer_start,
	fail_start,
};

const struct hook_functions hooks_started = {
	"on_started",
	boot_facts,
	NULL,
	NULL,
};

/* Stores the first answer; no further function is asked. */
static bool answer_exit(struct machine *m, const char *label, struct node *answer)
{
	node_free(m->choice.answer);
	free(m->choice.answer_label);
	m->choice.answer = node_copy(answer);
	m->choice.answer_label = mem_copy(label);
	return false;
}

const struct hook_functions hooks_exit = {
	"on_exit",
	history_facts,
	answer_exit,
	NULL,
};

/* on_exit is told about given_up, too; its answer is ignored. */
const struct hook_functions hooks_given_up = {
	"on_exit",
	history_facts,
	NULL,
	NULL,
};

static struct node *end_facts(const struct machine *m)
{
	struct node *facts = history_facts(m);

	node_put(facts, "cause", node_string(cause_name(m->history.outcome.cause)));
	node_put(facts, "exit_status", node_int(m->end.status));
	return facts;
}

const struct hook_functions hooks_end = {
	"on_end",
	end_facts,
	NULL,
	NULL,
};
