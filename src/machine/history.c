/* The history of exits, and the facts that hooks get about it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "machine/machine_inside.h"

#define MAX_LAST_LINE 200 /* bytes of a last line that are kept */

/* Returns the last line that is not blank, or NULL. The caller frees it. */
static char *last_line(const char *text, size_t n)
{
	MEM_AUTO char *words = str_last_line(text, n, " \t\r\n");
	struct str line = { 0 };

	if (words == NULL)
		return NULL;
	str_add_line(&line, words, MAX_LAST_LINE);
	return line.length == 0 ? (str_free(&line), NULL) : str_take(&line);
}

void history_add(struct machine *m)
{
	struct exit_record *e = &m->history.exit[m->history.count++ % MAX_HISTORY];

	free(e->target);
	e->cause = m->history.outcome.cause;
	e->status = m->history.outcome.status;
	e->signal = m->history.outcome.signal;
	e->uptime_ms = m->history.uptime_ms;
	e->at_ms = machine_now(m);
	e->target = mem_copy(m->boot.target);
	free(e->last_line);
	e->last_line = last_line(m->run.child.tail, m->run.child.tail_length);
	m->history.counts[m->history.outcome.cause]++;
}

/* Adds a failure before the start as an outcome, so that the policy decides what follows. */
void history_add_failure(struct machine *m, enum cause cause, const char *text)
{
	struct event_record *r;

	m->history.ends++;
	memset(&m->history.outcome, 0, sizeof(m->history.outcome));
	m->history.outcome.cause = cause;
	m->history.outcome.status = -1;
	m->history.uptime_ms = 0;
	m->run.child.tail_length = strlen(text) < MAX_CHILD_TAIL ? strlen(text) : MAX_CHILD_TAIL;
	memcpy(m->run.child.tail, text, m->run.child.tail_length);
	m->run.child.tail[m->run.child.tail_length] = '\0';
	r = event_add(m->events, VMRUN_EXITED);
	event_target(r, m->boot.target);
	machine_event_cause(r, cause);
	r->event.status = -1;
	event_text(r, text);
	history_add(m);
}

struct next machine_fail(struct machine *m, enum cause cause, const char *text)
{
	history_add_failure(m, cause, text);
	return go(STATE_DECIDING, -1);
}

struct next machine_fail_with(struct machine *m, struct report *report)
{
	MEM_AUTO char *text = report_text(report);

	report_free(report);
	return machine_fail(m, CAUSE_CHECK_FAILED, text);
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

/* Returns the exit that is so many back; 1 is the newest. */
static const struct exit_record *past(const struct machine *m, size_t back)
{
	return &m->history.exit[(m->history.count - back) % MAX_HISTORY];
}

/* Adds the list of exits, the newest first, with the present one. */
static void put_history(const struct machine *m, struct node *facts)
{
	struct node *history = node_new(NODE_LIST), *ages = node_new(NODE_LIST);
	size_t known = m->history.count < MAX_HISTORY ? m->history.count : MAX_HISTORY;
	int64_t now = machine_now(m);

	for (size_t i = 1; i <= known; i++) {
		const struct exit_record *e = past(m, i);
		struct node *one = node_new(NODE_OBJECT);

		put_facts(one, e);
		node_append(history, one);
		node_append(ages, seconds(now - e->at_ms));
	}
	node_put(facts, "history", history);
	node_put(facts, "ages", ages);
}

struct node *history_facts(const struct machine *m)
{
	struct node *facts = node_new(NODE_OBJECT), *count = node_new(NODE_OBJECT);

	if (m->history.count > 0)
		put_facts(facts, past(m, 1));
	for (int i = 0; i < CAUSES; i++)
		node_put(count, cause_name((enum cause)i), node_int(m->history.counts[i]));
	node_put(facts, "vm", node_string(m->boot.plan.vm));
	node_put(facts, "boots", node_int(m->history.boots));
	node_put(facts, "count", count);
	if (m->boot.spec->next_target != NULL)
		node_put(facts, "next_target", node_string(m->boot.spec->next_target));
	node_put(facts, "stderr", node_string_n(m->run.child.tail, m->run.child.tail_length));
	put_history(m, facts);
	return facts;
}

static void report_exit(const struct exit_record *e, int64_t now, struct str *s)
{
	str_addf(s, "%s%.1f s ago: target %s: %s", s->length == 0 ? "" : "\n",
	    (double)(now - e->at_ms) / 1000, e->target, cause_name(e->cause));
	if (e->signal != 0)
		str_addf(s, ", signal %d", e->signal);
	else if (e->status >= 0)
		str_addf(s, ", status %d", e->status);
	if (e->signal != 0 || e->status >= 0)
		str_addf(s, ", after %.1f s", (double)e->uptime_ms / 1000);
	if (e->last_line != NULL)
		str_addf(s, ": %s", e->last_line);
}

char *history_report(const struct machine *m, size_t most)
{
	size_t known = m->history.count < MAX_HISTORY ? m->history.count : MAX_HISTORY;
	size_t age = 0, n = 0;
	int64_t now = machine_now(m);
	struct str s = { 0 };

	/* given_up is in the history for hooks, but it is not the end of a boot. */
	while (age < known && n < most)
		n += past(m, ++age)->cause != CAUSE_GIVEN_UP ? 1 : 0;
	for (; age > 0; age--) {
		if (past(m, age)->cause != CAUSE_GIVEN_UP)
			report_exit(past(m, age), now, &s);
	}
	return str_take(&s);
}
