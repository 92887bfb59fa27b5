/* What is remembered of exits, and what hooks are told about them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/machine_state.h"

void exits_remember(struct machine *m)
{
	struct exit_record *e = &m->history[m->history_count++ % HISTORY];

	free(e->target);
	e->cause = m->outcome.cause;
	e->status = m->outcome.status;
	e->signal = m->outcome.signal;
	e->uptime_ms = m->uptime_ms;
	e->at_ms = machine_now(m);
	e->target = mem_copy(m->boot.target);
	m->counts[m->outcome.cause]++;
}

static struct node *seconds(int64_t ms)
{
	return node_number((double)ms / 1000);
}

static void put_facts(struct node *facts, const struct exit_record *e)
{
	node_put(facts, "target", node_string(e->target));
	node_put(facts, "cause", node_string(cause_name(e->cause)));
	if (e->status >= 0)
		node_put(facts, "status", node_int(e->status));
	if (e->signal != 0)
		node_put(facts, "signal", node_int(e->signal));
	node_put(facts, "uptime", seconds(e->uptime_ms));
}

/* The newest first, this exit among them. */
static void put_history(const struct machine *m, struct node *facts)
{
	struct node *history = node_new(NODE_LIST), *ages = node_new(NODE_LIST);
	size_t known = m->history_count < HISTORY ? m->history_count : HISTORY;
	int64_t now = machine_now(m);

	for (size_t i = 1; i <= known; i++) {
		const struct exit_record *e = &m->history[(m->history_count - i) % HISTORY];
		struct node *one = node_new(NODE_OBJECT);

		put_facts(one, e);
		node_append(history, one);
		node_append(ages, seconds(now - e->at_ms));
	}
	node_put(facts, "history", history);
	node_put(facts, "ages", ages);
}

struct node *exits_facts(const struct machine *m)
{
	struct node *facts = node_new(NODE_OBJECT), *count = node_new(NODE_OBJECT);

	if (m->history_count > 0)
		put_facts(facts, &m->history[(m->history_count - 1) % HISTORY]);
	for (int i = 0; i < CAUSES; i++)
		node_put(count, cause_name((enum cause)i), node_int(m->counts[i]));
	node_put(facts, "vm", node_string(m->boot.plan.vm));
	node_put(facts, "boots", node_int(m->boots));
	node_put(facts, "count", count);
	if (m->boot.spec->next_target != NULL)
		node_put(facts, "next_target", node_string(m->boot.spec->next_target));
	node_put(facts, "stderr", node_string_n(m->child.tail, m->child.tail_length));
	put_history(m, facts);
	return facts;
}
