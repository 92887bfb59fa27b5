/* Decisions of random specs, options, requests and answers against the order of vmrun(8), POLICY.
 */
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/dice.h"
#include "base/mem.h"

#define SEEDS 50
#define ROUNDS 400
#define MAX_ENTRIES 3
#define MAX_TEXT 128
#define STATUS_OF_ON "33" /* the status that `on` may name */

struct question {
	struct spec spec;
	struct policy_options options;
	struct outcome outcome;
	struct status_action by_status;
	struct policy_question q;
};

/* What the order of the manual gives: who decides, "boot", "stop" or "wait", which target. */
struct expected {
	char by[MAX_TEXT];
	const char *action, *target;
	bool limits; /* the limits of the command line may turn it into a stop */
};

static const char *const names[] = { "default", "install", "rescue" };

static const char *roll_name(struct dice *d)
{
	return names[dice_roll(d, 3)];
}

static void roll_list(struct dice *d, struct reboot_list *list)
{
	list->given = dice_roll(d, 3) == 0;
	list->count = list->given ? dice_roll(d, MAX_ENTRIES + 1) : 0;
	list->item = mem_resize(NULL, MAX_ENTRIES, sizeof(*list->item));
	for (size_t i = 0; i < list->count; i++) {
		list->item[i].is_status = dice_roll(d, 2) == 0;
		list->item[i].cause = (enum cause)dice_roll(d, CAUSES);
		list->item[i].status = dice_roll(d, 4) == 0 ? 33 : (int)dice_roll(d, 6);
	}
}

static void roll_action(struct dice *d, struct action *action, bool is_given_up)
{
	action->kind =
	    dice_roll(d, 2) == 0 ? ACTION_NONE : (enum action_kind)dice_roll(d, ACTION_KINDS);
	if (action->kind == ACTION_WAIT && !is_given_up)
		action->kind = ACTION_STOP;
	if (action->kind == ACTION_TARGET)
		action->target = mem_copy(roll_name(d));
	action->delay.given = dice_roll(d, 2) == 0;
	action->delay.ms = 1000 * (int64_t)dice_roll(d, 9);
	action->times = dice_roll(d, 4);
}

static void roll_outcome(struct dice *d, struct outcome *outcome)
{
	outcome->cause = (enum cause)dice_roll(d, CAUSES);
	outcome->status = -1;
	if (outcome->cause == CAUSE_ERROR)
		outcome->status = dice_roll(d, 2) == 0 ? 33 : 4 + (int)dice_roll(d, 3);
	else if (cause_has_status(outcome->cause))
		outcome->status = cause_status(outcome->cause);
}

static struct node *roll_answer(struct dice *d)
{
	struct node *answer = dice_roll(d, 2) == 0 ? node_new(NODE_OBJECT) : NULL;
	bool boots = dice_roll(d, 2) == 0;

	if (answer == NULL)
		return NULL;
	node_put(answer, "action", node_string(boots ? "boot" : "stop"));
	if (boots && dice_roll(d, 2) == 0)
		node_put(answer, "target", node_string(roll_name(d)));
	if (boots && dice_roll(d, 2) == 0)
		node_put(answer, "delay", node_int(dice_roll(d, 9)));
	return answer;
}

static void roll_question(struct dice *d, struct question *all)
{
	memset(all, 0, sizeof(*all));
	roll_list(d, &all->spec.reboot_on);
	roll_list(d, &all->options.reboot_on);
	for (int i = 0; i < CAUSES; i++)
		roll_action(d, &all->spec.on[i], i == CAUSE_GIVEN_UP);
	all->by_status.status = mem_copy(STATUS_OF_ON);
	roll_action(d, &all->by_status.action, false);
	if (all->by_status.action.kind != ACTION_NONE) {
		all->spec.on_status.item = &all->by_status;
		all->spec.on_status.count = 1;
	}
	all->spec.next_target = dice_roll(d, 2) == 0 ? mem_copy(roll_name(d)) : NULL;
	all->options.no_reboot = dice_roll(d, 5) == 0;
	all->options.reboot_count = dice_roll(d, 3) == 0 ? (int64_t)dice_roll(d, 4) : -1;
	roll_outcome(d, &all->outcome);
	all->q = (struct policy_question){ .options = &all->options,
		.spec = &all->spec,
		.target = roll_name(d),
		.outcome = &all->outcome,
		.automatic_boots = dice_roll(d, 4),
		.stop_requested = dice_roll(d, 6) == 0,
		.reboot_to = dice_roll(d, 6) == 0 ? dice_roll(d, 2) == 0 ? "" : roll_name(d) : NULL,
		.once = dice_roll(d, 4) == 0 ? roll_name(d) : NULL,
		.answer = roll_answer(d),
		.hook = "on_exit of hook.lua",
		.given_up_boots = dice_roll(d, 4) };
}

static void free_question(struct question *all)
{
	free(all->spec.reboot_on.item);
	free(all->options.reboot_on.item);
	for (int i = 0; i < CAUSES; i++)
		free(all->spec.on[i].target);
	free(all->by_status.status);
	free(all->by_status.action.target);
	free(all->spec.next_target);
	node_free((struct node *)all->q.answer);
}

/* --- the model --- */

/* Returns the target that boots unless something names another. */
static const char *usual_target(const struct policy_question *q)
{
	return q->spec->next_target != NULL ? q->spec->next_target : q->target;
}

static void expect(
    struct expected *e, const char *by, const char *action, const char *target, bool limits)
{
	(void)snprintf(e->by, sizeof(e->by), "%s", by);
	e->action = action;
	e->target = target;
	e->limits = limits;
}

/* A list that is given answers for every cause. */
static bool model_list(const struct policy_question *q, const struct reboot_list *list,
    const char *by, struct expected *e)
{
	bool found = false;

	if (!list->given)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		const struct reboot_entry *item = &list->item[i];

		if (item->is_status) /* a number stands for reboot to error only */
			found |=
			    q->outcome->cause <= CAUSE_ERROR && q->outcome->status == item->status;
		else
			found |= q->outcome->cause == item->cause;
	}
	expect(e, by, found ? "boot" : "stop", found ? usual_target(q) : NULL, true);
	return true;
}

static bool model_action(const struct policy_question *q, const struct action *action,
    const char *name, struct expected *e)
{
	char by[MAX_TEXT];

	(void)snprintf(by, sizeof(by), "on.%s", name);
	switch (action->kind) {
	case ACTION_STOP:
		expect(e, by, "stop", NULL, true);
		return true;
	case ACTION_WAIT:
		expect(e, by, "wait", NULL, true);
		return true;
	case ACTION_BOOT:
		expect(e, by, "boot", usual_target(q), true);
		return true;
	case ACTION_SAME:
		expect(e, by, "boot", q->target, true);
		return true;
	case ACTION_TARGET:
		expect(e, by, "boot", action->target, true);
		return true;
	default:
		return false;
	}
}

/* A named target is booted as often as `times` says, with 0 always. */
static void model_given_up(const struct policy_question *q, struct expected *e)
{
	const struct action *action = &q->spec->on[CAUSE_GIVEN_UP];
	bool is_spent = action->kind == ACTION_TARGET && action->times > 0 &&
	    q->given_up_boots >= action->times;

	if (is_spent || !model_action(q, action, "given_up", e))
		expect(e, "restart_limit", "stop", NULL, true);
}

static void model_hook(const struct policy_question *q, struct expected *e)
{
	const char *target = node_get_text(q->answer, "target");

	if (strcmp(node_get_text(q->answer, "action"), "stop") == 0)
		expect(e, q->hook, "stop", NULL, true);
	else
		expect(e, q->hook, "boot", target != NULL ? target : usual_target(q), true);
}

static void model_default(const struct policy_question *q, struct expected *e)
{
	if (q->outcome->cause != CAUSE_REBOOT)
		expect(e, "default", "stop", NULL, true);
	else
		expect(e, q->spec->next_target != NULL ? "next_target" : "default", "boot",
		    usual_target(q), true);
}

static bool model_status(const struct question *all, struct expected *e)
{
	return all->outcome.cause == CAUSE_ERROR && all->outcome.status == atoi(STATUS_OF_ON) &&
	    model_action(&all->q, &all->by_status.action, STATUS_OF_ON, e);
}

static void model_order(const struct question *all, struct expected *e)
{
	const struct policy_question *q = &all->q;
	enum cause cause = q->outcome->cause;

	if (q->stop_requested)
		expect(e, "the stop request", "stop", NULL, false);
	else if (q->reboot_to != NULL)
		expect(e, "the reboot request", "boot",
		    *q->reboot_to != '\0' ? q->reboot_to : usual_target(q), false);
	else if (cause == CAUSE_GIVEN_UP)
		model_given_up(q, e);
	else if (q->answer != NULL)
		model_hook(q, e);
	else if (!model_list(q, &q->options->reboot_on, "--reboot-on", e) &&
	    !model_status(all, e) && !model_action(q, &q->spec->on[cause], cause_name(cause), e) &&
	    !model_list(q, &q->spec->reboot_on, "reboot_on", e))
		model_default(q, e);
}

/* The limits of the command line come after the order, the next request changes only the target. */
static void model_rest(const struct policy_question *q, struct expected *e)
{
	char by[MAX_TEXT];

	(void)snprintf(by, sizeof(by), "--reboot-count %lld", (long long)q->options->reboot_count);
	if (e->limits && e->target != NULL && q->options->no_reboot)
		expect(e, "--no-reboot", "stop", NULL, true);
	else if (e->limits && e->target != NULL && q->options->reboot_count >= 0 &&
	    q->automatic_boots >= q->options->reboot_count)
		expect(e, by, "stop", NULL, true);
	if (e->target != NULL && q->once != NULL)
		expect(e, "the next request", "boot", q->once, true);
}

/* --- the comparison --- */

static bool is_as_expected(const struct decision *d, const struct expected *e)
{
	return strcmp(d->by, e->by) == 0 && strcmp(decision_action(d), e->action) == 0 &&
	    (d->target == NULL) == (e->target == NULL) &&
	    (e->target == NULL || strcmp(d->target, e->target) == 0);
}

static void compare(const struct dice *dice, const struct question *all)
{
	DECISION_AUTO struct decision d;
	struct expected e;
	char text[4 * MAX_TEXT];

	model_order(all, &e);
	model_rest(&all->q, &e);
	policy_decide(&all->q, &d);
	(void)snprintf(text, sizeof(text), "after %s: %s %s by %s, expected %s %s by %s",
	    cause_name(all->outcome.cause), decision_action(&d), d.target == NULL ? "" : d.target,
	    d.by, e.action, e.target == NULL ? "" : e.target, e.by);
	dice_check(dice, is_as_expected(&d, &e), text);
}

static void test_order(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct dice d;

		dice_start(&d, seed);
		for (int i = 0; i < ROUNDS; i++) {
			struct question all;

			roll_question(&d, &all);
			compare(&d, &all);
			free_question(&all);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
