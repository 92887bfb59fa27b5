/* Asking the hooks of a spec: in order, the first answer counts, failures are reported. */
#include <stdlib.h>

#include "base/mem.h"
#include "run/machine_state.h"

static void hook_failed(struct machine *m, const char *label, struct error *err)
{
	struct event_record *r = event_add(m->events, VMRUN_HOOK_FAILED);

	event_by(r, label);
	event_text(r, err->text);
	error_clear(err);
}

void hooks_ask(struct machine *m, const char *hook, bool is_there,
    struct node *(*facts)(const struct machine *), struct node **answer, char **label)
{
	struct words keys = { 0 };
	struct node *labels = NULL;
	struct error err = { 0 };
	size_t index = 1;

	*answer = NULL;
	*label = NULL;
	if (!is_there && m->boot.spec->hooks.count == 0)
		return;
	boot_hook_keys(m->boot.spec, &keys);
	if (document_hooks(m->source->doc, hook, &keys, &labels, &err) != 0)
		hook_failed(m, hook, &err);
	words_free(&keys);
	for (const struct node *n = labels == NULL ? NULL : labels->first; n != NULL;
	     n = n->next, index++) {
		if (document_call_hook(m->source->doc, hook, index, facts(m), answer, &err) != 0) {
			hook_failed(m, n->text, &err);
			continue;
		}
		if (*answer != NULL) {
			*label = mem_copy(n->text);
			break;
		}
	}
	node_free(labels);
}

static struct node *boot_facts(const struct machine *m)
{
	struct node *facts = node_new(NODE_OBJECT);

	node_put(facts, "vm", node_string(m->boot.plan.vm));
	node_put(facts, "target", node_string(m->boot.target));
	node_put(facts, "boots", node_int(m->boots));
	node_put(facts, "hypervisor", node_string(m->boot.plan.hyper->name));
	if (m->child.pid != 0)
		node_put(facts, "pid", node_int(m->child.pid));
	if (m->history_count > 0)
		node_put(facts, "previous_cause", node_string(cause_name(m->outcome.cause)));
	return facts;
}

char *hooks_start(struct machine *m)
{
	struct node *answer;
	const char *reason;
	char *label, *refusal = NULL;

	hooks_ask(m, "on_start", m->boot.spec->on_start, boot_facts, &answer, &label);
	reason = node_get_text(answer, "reason");
	if (answer != NULL)
		refusal = mem_format("%s refused the boot%s%s", label, reason == NULL ? "" : ": ",
		    reason == NULL ? "" : reason);
	node_free(answer);
	free(label);
	return refusal;
}

/* For hooks that have nothing to answer. */
static void tell(struct machine *m, const char *hook, bool is_there,
    struct node *(*facts)(const struct machine *))
{
	struct node *answer;
	char *label;

	hooks_ask(m, hook, is_there, facts, &answer, &label);
	node_free(answer);
	free(label);
}

void hooks_started(struct machine *m)
{
	tell(m, "on_started", m->boot.spec->on_started, boot_facts);
}

static struct node *end_facts(const struct machine *m)
{
	struct node *facts = exits_facts(m);

	node_put(facts, "cause", node_string(cause_name(m->outcome.cause)));
	node_put(facts, "exit_status", node_int(m->exit_status));
	return facts;
}

void hooks_end(struct machine *m)
{
	tell(m, "on_end", m->boot.spec->on_end, end_facts);
}
