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

static struct node *prepare_facts(const void *context)
{
	const struct machine *m = context;
	struct boot_facts facts = facts_of_draft(m);

	return boot_prepare_argument(m->source, &m->draft.boot, &facts);
}

static bool answer_prepare(void *context, const char *label, struct node *answer)
{
	struct machine *m = context;

	(void)label;
	return boot_change(m->source, &m->draft.boot, answer, &m->draft.faults) == 0;
}

static bool fail_prepare(void *context, const char *label, struct error *err)
{
	struct machine *m = context;

	err->status = STATUS_CHECK;
	(void)error_prefix(err, "%s", label);
	report_take(&m->draft.faults, NULL, err);
	return false;
}

const struct hook hooks_prepare = { .name = "on_prepare",
	.argument = prepare_facts,
	.on_answer = answer_prepare,
	.on_failure = fail_prepare };

/* Adds the resolved spec as --print spec shows it. */
static void put_spec(const struct machine *m, struct node *facts)
{
	MEM_AUTO char *json = spec_print(m->boot.spec);

	node_put(facts, "spec", json_node(json));
}

static struct node *boot_facts(const void *context)
{
	const struct machine *m = context;
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

static bool answer_start(void *context, const char *label, struct node *answer)
{
	struct machine *m = context;
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
static bool fail_start(void *context, const char *label, struct error *err)
{
	struct machine *m = context;
	int first_line = (int)strcspn(err->text, "\n");

	calls_say_failure(&m->calls, label, err);
	store_answer(m, NULL,
	    mem_format("%s refused the boot: it failed: %.*s", label, first_line, err->text));
	return false;
}

const struct hook hooks_start = { .name = "on_start",
	.argument = boot_facts,
	.on_answer = answer_start,
	.on_failure = fail_start };

const struct hook hooks_started = { .name = "on_started", .lasts = true, .argument = boot_facts };

const struct hook hooks_ready = { .name = "on_ready", .lasts = true, .argument = boot_facts };

/* Returns { exit, past }; `exit` is taken. */
static struct node *exit_argument(const struct machine *m, struct node *exit)
{
	struct node *argument = node_new(NODE_OBJECT);

	node_put(argument, "exit", exit);
	node_put(argument, "past", history_past(m));
	return argument;
}

static struct node *exit_facts(const void *context)
{
	return exit_argument(context, history_facts(context));
}

/*
 * Stores the first answer; no further function is asked.  A hook that a reload has replaced may
 * name a target that the next boot no longer has: it has failed.
 */
static bool answer_exit(void *context, const char *label, struct node *answer)
{
	struct machine *m = context;
	ERROR_AUTO struct error err = { 0 };

	if (machine_check_target(m, node_get_text(answer, "target"), &err) != 0) {
		calls_say_failure(&m->calls, label, &err);
		return true;
	}
	node_free(m->choice.answer);
	free(m->choice.answer_label);
	m->choice.answer = node_copy(answer);
	m->choice.answer_label = mem_copy(label);
	return false;
}

const struct hook hooks_exit = {
	.name = "on_exit", .argument = exit_facts, .on_answer = answer_exit
};

/* on_exit is told about given_up, too; its answer is ignored. */
const struct hook hooks_given_up = { .name = "on_exit", .argument = exit_facts };

static struct node *end_facts(const void *context)
{
	const struct machine *m = context;
	struct node *facts = history_facts(m);

	node_put(facts, "cause", node_string(cause_name(m->history.outcome.cause)));
	node_put(facts, "exit_status", node_int(m->end.status));
	return exit_argument(m, facts);
}

const struct hook hooks_end = { .name = "on_end", .argument = end_facts };

/* Returns where the functions of a hook are.  Caller frees its files. */
static struct hook_source find_functions(
    const struct machine *m, const struct hook *hook, const struct spec *spec)
{
	struct hook_source source = { .doc = m->source->doc,
		.exec_result = m->source->exec_result };

	if (spec != NULL && document_has_hook(m->source->doc, spec, hook->name)) {
		source.has_functions = true;
		source.timeout_ms = spec->hook_timeout_ms;
		boot_hook_keys(spec, &source.files);
	}
	return source;
}

void hooks_foresee_exit(struct machine *m)
{
	struct hook_source source = find_functions(m, &hooks_exit, m->boot.spec);

	calls_foresee(&m->calls, &hooks_exit, &source);
	words_free(&source.files);
}

void hooks_call(struct machine *m, const struct hook *hook, const struct spec *spec)
{
	struct hook_source source = find_functions(m, hook, spec);

	if (hook->lasts)
		calls_begin_lasting(&m->calls, hook, &source);
	else
		calls_begin(&m->calls, hook, &source);
	words_free(&source.files);
}

int64_t machine_run(struct machine *m, const struct hook_script *script, struct error *err)
{
	struct hook_source source = { .doc = m->source->doc,
		.timeout_ms = m->boot.spec == NULL ? 0 : m->boot.spec->hook_timeout_ms };
	int64_t number = calls_run(&m->calls, &source, script, err);

	machine_settle(m);
	return number;
}

void machine_end_run(struct machine *m, int64_t number)
{
	calls_end_script(&m->calls, number);
	machine_settle(m);
}

static int64_t now(const void *context)
{
	return machine_now(context);
}

void hooks_open(struct machine *m)
{
	struct calls_owner owner = { .wait = m->wait,
		.ledger = m->host.ledger,
		.events = m->events,
		.console = &m->console,
		.first_tag = MACHINE_TAG_HOOK,
		.end_tag = machine_helper_tag,
		.now_ms = now,
		.dry = m->options.simulation != NULL,
		.context = m };

	calls_open(&m->calls, &owner);
}

/*
 * Stops the VM.  While none runs, a hook that asks for it goes on to its end first; then vmrun
 * stops.  If a lasting hook asks for it after its boot has ended, on_exit is still asked, as
 * after a stop request in the cleanup.  At on_end there is nothing more to stop.
 */
static void demand_stop(struct machine *m, const struct hook_demand *demand)
{
	if (demand->status >= 0)
		m->requests.status = demand->status;
	if (m->run.child.job.pid != 0) {
		machine_stop(m);
	} else if (m->calls.main == NULL) {
		machine_request_stop(m);
		m->history.outcome.cause = CAUSE_STOPPED;
	} else if (m->present.state != STATE_REPORTING) {
		m->requests.stop_after_hook = true;
	}
}

static int demand_kill(struct machine *m, struct error *err)
{
	if (m->run.child.job.pid == 0)
		return error_set(err, STATUS_CHECK, "no VM is running");
	machine_kill(m);
	return 0;
}

/* A reboot that a hook requests is an automatic boot, unless a person has requested one before. */
static int demand_reboot(struct machine *m, const struct hook_demand *demand, struct error *err)
{
	bool is_asked = m->requests.reboot_to != NULL && !m->requests.is_automatic;

	if (m->run.child.job.pid == 0)
		return error_set(err, STATUS_CHECK, "no VM is running");
	if (machine_reboot(m, demand->target, err) != 0)
		return -1;
	m->requests.is_automatic = !is_asked && !demand->by_client;
	return 0;
}

static int demand_reset(struct machine *m, const struct hook_demand *demand, struct error *err)
{
	if (!machine_reset(m, !demand->by_client))
		return error_set(err, STATUS_CHECK, "the VM is not given up");
	return 0;
}

/* Does it; fails with the reason why that is not possible now. */
static int serve(struct machine *m, const struct hook_demand *demand, struct error *err)
{
	if (strcmp(demand->command, "stop") == 0) {
		demand_stop(m, demand);
		return 0;
	}
	if (strcmp(demand->command, "kill") == 0)
		return demand_kill(m, err);
	if (strcmp(demand->command, "reboot") == 0)
		return demand_reboot(m, demand, err);
	if (strcmp(demand->command, "next") == 0)
		return machine_next(m, demand->target, err);
	return demand_reset(m, demand, err);
}

void hooks_serve_demand(struct machine *m, const struct hook_demand *demand)
{
	uint64_t order = demand->order;
	ERROR_AUTO struct error err = { 0 };
	int rc;

	/* The machine follows the request itself, and must not find the demand again then. */
	m->requests.serves_hook = true;
	rc = serve(m, demand, &err);
	m->requests.serves_hook = false;
	calls_answer(&m->calls, order, rc == 0 ? NULL : err.text);
}
