/*
 * Writes a policy as DOT.  Nodes have numbers, as names and labels may contain any character.
 */
#include "policy/graph.h"

#include <string.h>

#include "base/mem.h"
#include "base/node.h"
#include "base/str.h"
#include "policy/forecast.h"

#define MAX_GRAPH_LINE 30 /* characters of a label's line */

/* Adds a text, escaped for a quoted string. */
static void add_escaped(struct str *s, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\n')
			str_add(s, "\\n");
		else if ((unsigned char)*p < ' ' || *p == 0x7f)
			str_add(s, "?");
		else
			str_addf(s, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	}
}

static size_t target_index(const struct graph *g, const char *name)
{
	size_t i = 0;

	while (i + 1 < g->count && strcmp(g->target[i].name, name) != 0)
		i++;
	return i;
}

static const struct action *given_up(const struct graph *g, size_t i)
{
	return &g->target[i].spec->on[CAUSE_GIVEN_UP];
}

static bool same_action(const struct action *a, const struct action *b)
{
	return a->kind == b->kind &&
	    (a->kind != ACTION_TARGET ||
		(strcmp(a->target, b->target) == 0 && a->times == b->times &&
		    a->delay.given == b->delay.given && a->delay.ms == b->delay.ms));
}

/* Returns the node for giving up, which targets that give up in the same way share. */
static size_t given_up_node(const struct graph *g, size_t i)
{
	size_t first = 0;

	while (!same_action(given_up(g, first), given_up(g, i)))
		first++;
	return first;
}

static bool leads_somewhere(const struct action *action)
{
	return action->kind == ACTION_TARGET || action->kind == ACTION_WAIT;
}

/* --- edges --- */

#define FAULT_COLOUR "#b3261e"

/* Returns whether the cause is a fault, not an end that the guest chose. */
static bool is_fault(enum cause cause)
{
	return cause != CAUSE_REBOOT && cause != CAUSE_POWEROFF && cause != CAUSE_HALT;
}

static void add_colour(bool fault, struct str *s)
{
	if (fault)
		str_add(s, " color=\"" FAULT_COLOUR "\" fontcolor=\"" FAULT_COLOUR "\"");
}

/* Returns whether a row has an edge: what stops has none, and a limit has an edge of its own. */
static bool is_drawn(const struct forecast_row *row)
{
	return row->cause != CAUSE_GIVEN_UP && row->decision.boot;
}

/* Returns whether the rows share an edge. */
static bool same_place(const struct forecast_row *a, const struct forecast_row *b)
{
	return strcmp(a->decision.target, b->decision.target) == 0 &&
	    is_fault(a->cause) == is_fault(b->cause);
}

static bool same_terms(const struct forecast_row *a, const struct forecast_row *b)
{
	return same_place(a, b) && a->decision.delay_ms == b->decision.delay_ms &&
	    a->decision.by_next == b->decision.by_next;
}

/* Returns whether no row before this one is alike. */
static bool is_first(const struct forecast *f, size_t i,
    bool (*alike)(const struct forecast_row *a, const struct forecast_row *b))
{
	for (size_t k = 0; k < i; k++) {
		if (is_drawn(&f->item[k]) && alike(&f->item[k], &f->item[i]))
			return false;
	}
	return true;
}

/* Adds a word to a list in lines of at most MAX_GRAPH_LINE; `line` has the last one's length. */
static void add_word(struct str *label, const char *word, bool first, size_t *line)
{
	size_t n = strlen(word);

	if (!first)
		str_add(label, *line + n + 2 > MAX_GRAPH_LINE ? ",\\n" : ", ");
	*line = first || *line + n + 2 > MAX_GRAPH_LINE ? n : *line + n + 2;
	str_add(label, word);
}

static void add_delay(struct str *label, int64_t ms)
{
	if (ms > 0)
		str_addf(label, " in %g s", (double)ms / 1000);
}

/* Adds all causes that lead to the same place on the same terms as the row `like`. */
static void add_causes(const struct forecast *f, size_t like, struct str *label)
{
	const struct decision *d = &f->item[like].decision;
	size_t line = 0;

	str_add(label, label->length > 0 ? "\\n" : "");
	for (size_t i = like; i < f->count; i++) {
		const struct forecast_row *row = &f->item[i];
		MEM_AUTO char *single = row->status < 0
		    ? NULL
		    : mem_format("%s %d", cause_name(row->cause), row->status);

		if (is_drawn(row) && same_terms(row, &f->item[like]))
			add_word(label, single != NULL ? single : cause_name(row->cause), i == like,
			    &line);
	}
	add_delay(label, d->delay_ms);
	str_add(label, d->by_next ? " (next_target)" : "");
}

/* Adds the edge of the row `like` and all rows that share it. */
static void add_edge(
    const struct graph *g, size_t from, const struct forecast *f, size_t like, struct str *s)
{
	STR_AUTO struct str label = { 0 };

	for (size_t i = like; i < f->count; i++) {
		if (is_drawn(&f->item[i]) && same_place(&f->item[i], &f->item[like]) &&
		    is_first(f, i, same_terms))
			add_causes(f, i, &label);
	}
	str_addf(s, "\tt%zu -> t%zu [label=\"%s\"", from,
	    target_index(g, f->item[like].decision.target), label.text);
	add_colour(is_fault(f->item[like].cause), s);
	str_add(s, "]\n");
}

/* Returns the target that a lead of a hook may boot after an exit of this target, or NULL. */
static const char *led_to(const struct graph_target *from, const struct node *lead)
{
	const char *only = node_get_text(lead, "from"), *target = node_get_text(lead, "target");
	bool is_here = only == NULL || strcmp(only, from->name) == 0;

	if (!is_here)
		return NULL;
	/* Without `from`, what leads to another target leads nowhere from that one. */
	if (only == NULL && target != NULL && strcmp(target, from->name) == 0)
		return NULL;
	return target != NULL ? target : from->name;
}

static bool is_faulty(const struct node *lead)
{
	const char *name = node_get_text(lead, "cause");
	enum cause cause;

	return name != NULL && cause_find(name, &cause) && is_fault(cause);
}

/* Returns whether two leads share an edge. */
static bool leads_alike(const struct graph_target *from, const struct node *a, const struct node *b)
{
	const char *x = led_to(from, a), *y = led_to(from, b);

	return x != NULL && y != NULL && strcmp(x, y) == 0 && is_faulty(a) == is_faulty(b) &&
	    strcmp(node_get_text(a, "by"), node_get_text(b, "by")) == 0;
}

/* Adds the edge of a lead and all after it that share it. */
static void add_lead(const struct graph *g, size_t i, const struct node *lead, struct str *s)
{
	const struct graph_target *from = &g->target[i];
	STR_AUTO struct str label = { 0 };
	size_t line = 0;
	bool first = true;

	for (const struct node *n = lead; n != NULL; n = n->next) {
		const char *cause = node_get_text(n, "cause");

		if (cause == NULL || !leads_alike(from, n, lead))
			continue;
		add_word(&label, cause, first, &line);
		first = false;
	}
	str_addf(s, "\tt%zu -> t%zu [label=\"%s%s(", i, target_index(g, led_to(from, lead)),
	    first ? "" : label.text, first ? "" : "\\n");
	add_escaped(s, node_get_text(lead, "by"));
	str_add(s, ")\" style=dashed");
	add_colour(is_faulty(lead), s);
	str_add(s, "]\n");
}

/* Adds the edges that the target's hooks declare. */
static void add_leads(const struct graph *g, size_t i, struct str *s)
{
	const struct graph_target *from = &g->target[i];
	const struct node *all = from->leads == NULL ? NULL : from->leads->first;

	for (const struct node *n = all; n != NULL; n = n->next) {
		bool is_new = led_to(from, n) != NULL;

		for (const struct node *k = all; k != n; k = k->next)
			is_new = is_new && !leads_alike(from, k, n);
		if (is_new)
			add_lead(g, i, n, s);
	}
}

/* Returns whether boots from this target can exceed the limit. */
static bool can_spin(const struct graph *g, size_t from, const struct forecast *f)
{
	bool boots = g->target[from].has_hooks, limited = false;

	for (size_t i = 0; i < f->count; i++) {
		boots = boots || (f->item[i].cause != CAUSE_GIVEN_UP && f->item[i].decision.boot);
		limited = limited || f->item[i].cause == CAUSE_GIVEN_UP;
	}
	return boots && limited;
}

static void add_limit(const struct graph *g, size_t from, struct str *s)
{
	const struct restart_limit *limit = &g->target[from].spec->restart_limit;

	str_addf(s,
	    "\tt%zu -> g%zu [label=\"more than %lld boot%s\\nwithin %g s\" style=dotted "
	    "color=\"" FAULT_COLOUR "\" fontcolor=\"" FAULT_COLOUR "\"]\n",
	    from, given_up_node(g, from), (long long)limit->count, limit->count == 1 ? "" : "s",
	    (double)limit->within_ms / 1000);
}

/* Adds the edges of a target, and marks its node for giving up in `gives_up`. */
static void add_edges(const struct graph *g, size_t from, bool *gives_up, struct str *s)
{
	FORECAST_AUTO struct forecast f;

	forecast_make(g->options, g->target[from].spec, g->target[from].name, &f);
	for (size_t i = 0; i < f.count; i++) {
		if (is_drawn(&f.item[i]) && is_first(&f, i, same_place))
			add_edge(g, from, &f, i, s);
	}
	add_leads(g, from, s);
	if (leads_somewhere(given_up(g, from)) && can_spin(g, from, &f)) {
		add_limit(g, from, s);
		gives_up[given_up_node(g, from)] = true;
	}
}

/* --- nodes --- */

static void add_target(const struct graph *g, size_t i, struct str *s)
{
	str_addf(s, "\tt%zu [label=\"", i);
	add_escaped(s, g->target[i].name);
	str_add(s,
	    g->target[i].has_hooks ? "\\n(hooks may decide otherwise)\" style=\"rounded,dashed\"]\n"
				   : "\"]\n");
}

/* Adds a node for giving up, and its edge. */
static void add_given_up(const struct graph *g, size_t i, struct str *s)
{
	const struct action *action = given_up(g, i);

	str_addf(s, "\tg%zu [label=\"given up%s\" shape=oval]\n", i,
	    action->kind == ACTION_WAIT ? ":\\nwaits for a reset" : "");
	if (action->kind != ACTION_TARGET)
		return;
	str_addf(s, "\tg%zu -> t%zu [label=\"", i, target_index(g, action->target));
	if (action->times == 1)
		str_add(s, "once");
	else if (action->times == 0)
		str_add(s, "each time");
	else
		str_addf(s, "%lld times", (long long)action->times);
	if (action->delay.given && action->delay.ms > 0) {
		str_add(s, ",");
		add_delay(s, action->delay.ms);
	}
	str_add(s, "\" style=dotted color=\"" FAULT_COLOUR "\" fontcolor=\"" FAULT_COLOUR "\"]\n");
}

char *graph_dot(const struct graph *g)
{
	MEM_AUTO bool *gives_up = mem_zero(g->count * sizeof(*gives_up));
	struct str s = { 0 };

	str_add(&s, "digraph \"");
	add_escaped(&s, g->vm);
	str_add(&s,
	    "\" {\n\trankdir=LR nodesep=0.4\n"
	    "\tnode [shape=box style=rounded fontname=\"sans-serif\" fontsize=11]\n"
	    "\tedge [fontname=\"sans-serif\" fontsize=9]\n"
	    "\tstart [shape=point]\n\tstop [label=\"every other end stops\" shape=oval]\n");
	for (size_t i = 0; i < g->count; i++)
		add_target(g, i, &s);
	str_addf(&s, "\tstart -> t%zu\n", target_index(g, g->first));
	for (size_t i = 0; i < g->count; i++)
		add_edges(g, i, gives_up, &s);
	for (size_t i = 0; i < g->count; i++) {
		if (gives_up[i])
			add_given_up(g, i, &s);
	}
	str_add(&s, "}\n");
	return str_take(&s);
}
