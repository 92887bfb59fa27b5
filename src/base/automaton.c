/* Runs an automaton over a line. */
#include "base/automaton.h"

#include <stdlib.h>
#include <string.h>

#include "base/automaton_steps.h"
#include "base/mem.h"

/* A step that takes the next byte, and where the match that led to it began. */
struct strand {
	size_t step, start;
};

/* A step that is reached, and from where. */
struct visit {
	size_t step;
	uint16_t parent; /* see struct trace */
};

/* For each place of a match and each step: the step before it, and whether that took a byte. */
struct trace {
	uint16_t *parents; /* twice the step, and 1 if it took a byte; NULL: not wanted */
	size_t start, end; /* of the match */
};

_Static_assert(2 * MAX_AUTOMATON_STEPS <= UINT16_MAX, "a step fits into a trace");

struct automaton_scratch {
	struct strand *now, *next; /* in the order of their starts, each step once */
	struct visit *stack;
	uint64_t *turns; /* per step: the turn in which it was reached last */
	uint64_t turn;
};

/* What one search has found. */
struct hit {
	bool found;
	size_t start, end;
};

/* The place in the line that is being looked at. */
struct place {
	size_t at, length;
};

/* Pushes the steps that follow without a byte, the preferred one last; returns the new height. */
static size_t push(
    const struct automaton *a, size_t step, struct place p, struct visit *stack, size_t n)
{
	const struct step *s = &a->steps[step];
	uint16_t parent = (uint16_t)(2 * step);
	struct visit next = { step + 1, parent };
	struct visit other = { (size_t)((ptrdiff_t)step + s->to), parent };

	if (s->kind == STEP_AGAIN)
		stack[n++] = next;
	if (s->kind == STEP_SPLIT || s->kind == STEP_AGAIN || s->kind == STEP_JUMP)
		stack[n++] = other;
	if (s->kind == STEP_SPLIT || s->kind == STEP_SAVE || (s->kind == STEP_BEGIN && p.at == 0) ||
	    (s->kind == STEP_END && p.at == p.length))
		stack[n++] = next;
	return n;
}

/* Notes a match of the strand that ends at this place, if it is better than the one so far. */
static void note(struct hit *hit, size_t start, size_t end)
{
	if (hit->found && start > hit->start)
		return;
	hit->found = true;
	hit->start = start;
	hit->end = end;
}

/*
 * Adds the steps that a strand reaches at this place to the list, and returns its new length.
 * The strand that reaches a step first keeps it: the one that started first.
 */
static size_t reach(const struct automaton *a, struct strand from, struct place p,
    struct strand *list, size_t count, struct hit *hit, uint16_t *parents)
{
	struct automaton_scratch *s = a->scratch;
	size_t n = 0;

	s->stack[n++] =
	    (struct visit){ from.step, (uint16_t)(from.step > 0 ? 2 * from.step - 1 : 0) };
	while (n > 0) {
		struct visit v = s->stack[--n];

		if (s->turns[v.step] == s->turn)
			continue;
		s->turns[v.step] = s->turn;
		if (parents != NULL)
			parents[v.step] = v.parent;
		if (a->steps[v.step].kind <= STEP_SET)
			list[count++] = (struct strand){ v.step, from.start };
		else if (a->steps[v.step].kind == STEP_MATCH)
			note(hit, from.start, p.at);
		else
			n = push(a, v.step, p, s->stack, n);
	}
	return count;
}

static bool takes(const struct automaton *a, const struct step *s, unsigned char byte)
{
	if (s->kind == STEP_BYTE)
		return s->to == byte;
	return s->kind == STEP_ANY || a->sets[s->to].has[byte];
}

/* Takes one byte in all strands, into scratch->next; returns the length of that list. */
static size_t advance(const struct automaton *a, size_t count, unsigned char byte, struct place p,
    struct hit *hit, uint16_t *parents)
{
	struct automaton_scratch *s = a->scratch;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct strand from = s->now[i];

		if (hit->found && from.start > hit->start)
			break;
		if (!takes(a, &a->steps[from.step], byte))
			continue;
		from.step++;
		n = reach(a, from, p, s->next, n, hit, parents);
	}
	return n;
}

static void swap_lists(struct automaton_scratch *s)
{
	struct strand *now = s->now;

	s->now = s->next;
	s->next = now;
}

/* Moves on to the next place where a match may begin, or to the end of the line. */
static void skip(const struct automaton *a, const char *line, struct place *p)
{
	while (p->at < p->length && !a->begins[(unsigned char)line[p->at]])
		p->at++;
	a->scratch->turn++;
}

bool automaton_find(
    const struct automaton *a, const char *line, size_t length, size_t *start, size_t *end)
{
	struct automaton_scratch *s = a->scratch;
	struct hit hit = { 0 };
	struct place p = { 0, length };
	size_t count = 0;

	s->turn++;
	for (;;) {
		if (count == 0 && p.at > 0)
			skip(a, line, &p);
		if (!hit.found)
			count = reach(a, (struct strand){ 0, p.at }, p, s->now, count, &hit, NULL);
		if (p.at == length || (hit.found && count == 0))
			break;
		p.at++;
		s->turn++;
		count = advance(a, count, (unsigned char)line[p.at - 1], p, &hit, NULL);
		swap_lists(s);
	}
	*start = hit.start;
	*end = hit.end;
	return hit.found;
}

/* Follows the steps of a match from its end back to its start, and notes the ends of groups. */
static void trace_back(const struct automaton *a, const struct trace *t, size_t *places)
{
	size_t step = a->count - 1, at = t->end;

	while (step > 0 || at > t->start) {
		uint16_t parent = t->parents[(at - t->start) * a->count + step];
		const struct step *s = &a->steps[step];

		if (s->kind == STEP_SAVE && places[s->to] == SIZE_MAX)
			places[s->to] = at;
		step = parent / 2;
		at -= parent % 2;
	}
	if (a->steps[0].kind == STEP_SAVE && places[a->steps[0].to] == SIZE_MAX)
		places[a->steps[0].to] = at;
}

void automaton_find_groups(const struct automaton *a, const char *line, size_t length, size_t start,
    size_t end, size_t *places)
{
	struct automaton_scratch *s = a->scratch;
	MEM_AUTO uint16_t *parents = mem_zero((end - start + 1) * a->count * sizeof(*parents));
	const struct trace t = { parents, start, end };
	struct place p = { start, length };
	struct hit hit = { 0 };
	size_t count;

	for (size_t i = 0; i < 2 * a->groups; i++)
		places[i] = SIZE_MAX;
	s->turn++;
	count = reach(a, (struct strand){ 0, start }, p, s->now, 0, &hit, parents);
	while (p.at < end) {
		p.at++;
		s->turn++;
		count = advance(a, count, (unsigned char)line[p.at - 1], p, &hit,
		    parents + (p.at - start) * a->count);
		swap_lists(s);
	}
	trace_back(a, &t, places);
}

/* Finds the bytes that begin a match behind the beginning of a line. */
static void find_beginnings(struct automaton *a)
{
	struct automaton_scratch *s = a->scratch;
	struct hit hit = { 0 };
	size_t count;

	s->turn++;
	count = reach(a, (struct strand){ 0, 1 }, (struct place){ 1, 2 }, s->now, 0, &hit, NULL);
	for (size_t byte = 0; byte < BYTES; byte++) {
		a->begins[byte] = hit.found;
		for (size_t i = 0; i < count && !a->begins[byte]; i++)
			a->begins[byte] = takes(a, &a->steps[s->now[i].step], (unsigned char)byte);
	}
}

void automaton_prepare(struct automaton *a)
{
	struct automaton_scratch *s = mem_zero(sizeof(*s));

	s->now = mem_zero(a->count * sizeof(*s->now));
	s->next = mem_zero(a->count * sizeof(*s->next));
	s->stack = mem_zero((2 * a->count + 1) * sizeof(*s->stack));
	s->turns = mem_zero(a->count * sizeof(*s->turns));
	a->scratch = s;
	find_beginnings(a);
}

size_t automaton_groups(const struct automaton *a)
{
	return a->groups;
}

void automaton_free(struct automaton *a)
{
	if (a == NULL)
		return;
	if (a->scratch != NULL) {
		free(a->scratch->now);
		free(a->scratch->next);
		free(a->scratch->stack);
		free(a->scratch->turns);
	}
	free(a->scratch);
	free(a->steps);
	free(a->sets);
	free(a);
}
