/* Reads an extended regular expression and writes the steps of its automaton. */
#include "base/automaton.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>

#include "base/automaton_steps.h"
#include "base/mem.h"
#include "base/str.h"

#define NOWHERE SIZE_MAX /* no step */
#define MAX_ASCII 128

/* An open group, or the whole expression. */
struct group {
	size_t begin;  /* its first step */
	size_t branch; /* the first step of the alternative that is being read */
	size_t jump;   /* the jump at the end of the last alternative, which holds the one before */
	int number;    /* from 0; of the whole expression -1 */
	int repeat;    /* the largest product of counts inside */
};

struct builder {
	struct automaton *a;
	const unsigned char *at, *end;
	struct group groups[MAX_AUTOMATON_DEPTH + 1];
	size_t depth;
	size_t atom; /* the first step of what a repetition repeats, or NOWHERE */
	int repeat;  /* the product of counts of that */
	struct automaton_error *err;
};

/* Refuses the expression, unless that has happened. */
static bool refuse(struct builder *b, int code, const char *why)
{
	if (b->err->code == 0 && b->err->why == NULL) {
		b->err->code = code;
		b->err->why = why;
	}
	return false;
}

static bool make_room(struct builder *b, size_t steps)
{
	if (b->a->count + steps <= MAX_AUTOMATON_STEPS)
		return true;
	return refuse(b, 0, "it is too large with its repetitions written out");
}

static bool add(struct builder *b, enum step_kind kind, int to)
{
	if (!make_room(b, 1))
		return false;
	b->a->steps[b->a->count++] = (struct step){ kind, to };
	return true;
}

/* Inserts a split before the step that goes on there and behind the last step plus `more`. */
static bool insert_split(struct builder *b, size_t at, int more)
{
	size_t n = b->a->count - at;

	if (!make_room(b, 1))
		return false;
	memmove(&b->a->steps[at + 1], &b->a->steps[at], n * sizeof(b->a->steps[0]));
	b->a->steps[at] = (struct step){ STEP_SPLIT, (int)n + 1 + more };
	b->a->count++;
	return true;
}

/* Ends an atom: its counts count for the group around it. */
static void end_atom(struct builder *b)
{
	struct group *g = &b->groups[b->depth];

	if (b->atom != NOWHERE && b->repeat > g->repeat)
		g->repeat = b->repeat;
	b->atom = NOWHERE;
}

/* Begins an atom at the next step. */
static void begin_atom(struct builder *b)
{
	end_atom(b);
	b->atom = b->a->count;
	b->repeat = 1;
}

static bool add_atom(struct builder *b, enum step_kind kind, int to)
{
	begin_atom(b);
	return add(b, kind, to);
}

static bool add_anchor(struct builder *b, enum step_kind kind)
{
	end_atom(b);
	return add(b, kind, 0);
}

static bool open_group(struct builder *b)
{
	end_atom(b);
	if (b->depth == MAX_AUTOMATON_DEPTH)
		return refuse(b, 0,
		    "more than " STR_LITERAL(MAX_AUTOMATON_DEPTH) " groups inside each other");
	b->groups[++b->depth] =
	    (struct group){ b->a->count, b->a->count + 1, NOWHERE, (int)b->a->groups, 1 };
	return add(b, STEP_SAVE, 2 * (int)b->a->groups++);
}

/* Leads the jumps at the ends of a group's alternatives behind its last step. */
static void end_branches(struct builder *b)
{
	size_t jump = b->groups[b->depth].jump;

	while (jump != NOWHERE) {
		struct step *s = &b->a->steps[jump];
		size_t before = s->to < 0 ? NOWHERE : (size_t)s->to;

		s->to = (int)(b->a->count - jump);
		jump = before;
	}
}

static bool close_group(struct builder *b)
{
	struct group *g = &b->groups[b->depth];

	if (b->depth == 0)
		return refuse(b, REG_EPAREN, NULL);
	end_atom(b);
	end_branches(b);
	b->atom = g->begin;
	b->repeat = g->repeat;
	b->depth--;
	return add(b, STEP_SAVE, 2 * g->number + 1);
}

static bool next_branch(struct builder *b)
{
	struct group *g = &b->groups[b->depth];

	end_atom(b);
	if (!insert_split(b, g->branch, 1) ||
	    !add(b, STEP_JUMP, g->jump == NOWHERE ? -1 : (int)g->jump))
		return false;
	g->jump = b->a->count - 1;
	g->branch = b->a->count;
	return true;
}

/* Adds a copy of the n steps from this one on. */
static bool copy(struct builder *b, size_t from, size_t n)
{
	if (!make_room(b, n))
		return false;
	memcpy(&b->a->steps[b->a->count], &b->a->steps[from], n * sizeof(b->a->steps[0]));
	b->a->count += n;
	return true;
}

/* Lets the steps from this one on come any number of times, or none. */
static bool repeat_any(struct builder *b, size_t at)
{
	return insert_split(b, at, 1) && add(b, STEP_JUMP, -(int)(b->a->count - at));
}

/* Lets the last copy of the atom, n steps, come any number of times, at least once. */
static bool repeat_more(struct builder *b, size_t n)
{
	return add(b, STEP_AGAIN, -(int)n);
}

/* Repeats the atom from `least` to `most` times, -1: without end. */
static bool repeat(struct builder *b, int least, int most)
{
	size_t n = b->a->count - b->atom, at;

	if (least == 0 && most < 0)
		return repeat_any(b, b->atom);
	for (int i = 1; i < least; i++) {
		if (!copy(b, b->atom, n))
			return false;
	}
	if (most < 0)
		return repeat_more(b, n);
	/* Each of the copies that may be missing lies inside the one before: a(a(a)?)? */
	at = least == 0 ? b->atom : b->a->count;
	for (int i = least == 0 ? 1 : least; i < most; i++) {
		if (!copy(b, b->atom, n))
			return false;
	}
	if (most == 0)
		b->a->count = b->atom;
	for (size_t k = b->a->count; k > at; k -= n) {
		if (!insert_split(b, k - n, 0))
			return false;
	}
	return true;
}

/* Reads a number, or returns -1 where there is none. */
static int read_number(struct builder *b)
{
	int n = -1;

	for (; b->at < b->end && *b->at >= '0' && *b->at <= '9'; b->at++)
		n = n > MAX_AUTOMATON_REPEAT ? n : (n < 0 ? 0 : n) * 10 + (*b->at - '0');
	return n;
}

/* Reads what follows a "{": counts as in {2}, {2,} and {2,5}. */
static bool read_counts(struct builder *b)
{
	int least = read_number(b), most = least;

	if (b->at < b->end && *b->at == ',') {
		b->at++;
		most = read_number(b);
	}
	if (b->at == b->end)
		return refuse(b, REG_EBRACE, NULL);
	if (*b->at++ != '}' || least < 0 || (most >= 0 && most < least))
		return refuse(b, REG_BADBR, NULL);
	b->repeat *= most > 0 ? most : least > 0 ? least : 1;
	if (least > MAX_AUTOMATON_REPEAT || b->repeat > MAX_AUTOMATON_REPEAT)
		return refuse(b, 0,
		    "the counts of its repetitions, multiplied where they are "
		    "nested, exceed " STR_LITERAL(MAX_AUTOMATON_REPEAT));
	return repeat(b, least, most);
}

/* Reads a repetition, whose first byte has been read. */
static bool read_repetition(struct builder *b, unsigned char byte)
{
	if (b->atom == NOWHERE)
		return refuse(b, REG_BADRPT, NULL);
	if (byte == '{')
		return read_counts(b);
	return byte == '?' ? repeat(b, 0, 1) : repeat(b, byte == '+' ? 1 : 0, -1);
}

static bool read_escape(struct builder *b)
{
	unsigned char byte;

	if (b->at == b->end)
		return refuse(b, REG_EESCAPE, NULL);
	byte = *b->at++;
	if (byte >= '0' && byte <= '9')
		return refuse(b, 0, "back references, such as \\1, are not supported");
	if (isalpha(byte) || strchr("<>`'", byte) != NULL)
		return refuse(b, 0,
		    "a backslash is for punctuation only: POSIX has no \\w, \\d or \\<; "
		    "use [[:alnum:]_], [[:digit:]]");
	return add_atom(b, STEP_BYTE, byte);
}

/* Adds the bytes of a class such as "alpha" to a set; ASCII only, whatever the locale. */
static bool add_class(struct byte_set *set, const unsigned char *name, size_t length)
{
	static const struct {
		const char *name;
		int (*has)(int byte);
	} classes[] = {
		{ "alnum", isalnum },
		{ "alpha", isalpha },
		{ "blank", isblank },
		{ "cntrl", iscntrl },
		{ "digit", isdigit },
		{ "graph", isgraph },
		{ "lower", islower },
		{ "print", isprint },
		{ "punct", ispunct },
		{ "space", isspace },
		{ "upper", isupper },
		{ "xdigit", isxdigit },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strlen(classes[i].name) != length || memcmp(classes[i].name, name, length) != 0)
			continue;
		for (int byte = 0; byte < MAX_ASCII; byte++)
			set->has[byte] = set->has[byte] || classes[i].has(byte) != 0;
		return true;
	}
	return false;
}

/* Returns the length of the name in [:name:], [.name.] or [=name=] behind the two first bytes. */
static bool find_name_end(struct builder *b, unsigned char mark, size_t *length)
{
	for (const unsigned char *at = b->at; at + 1 < b->end; at++) {
		if (at[0] == mark && at[1] == ']') {
			*length = (size_t)(at - b->at);
			return true;
		}
	}
	return refuse(b, REG_EBRACK, NULL);
}

/* Reads an element of a set: a byte, or one as in [.x.] or [=x=]. */
static bool read_element(struct builder *b, unsigned char *byte)
{
	size_t length;

	if (b->at == b->end)
		return refuse(b, REG_EBRACK, NULL);
	*byte = *b->at++;
	if (*byte != '[' || b->at == b->end || (*b->at != '.' && *b->at != '='))
		return true;
	b->at++;
	if (!find_name_end(b, b->at[-1], &length))
		return false;
	if (length != 1)
		return refuse(b, REG_ECOLLATE, NULL);
	*byte = b->at[0];
	b->at += length + 2;
	return true;
}

/* Reads a part of a set: a class, a range or an element. */
static bool read_part(struct builder *b, struct byte_set *set)
{
	unsigned char first, last;
	size_t length;

	if (b->end - b->at >= 2 && b->at[0] == '[' && b->at[1] == ':') {
		b->at += 2;
		if (!find_name_end(b, ':', &length))
			return false;
		if (!add_class(set, b->at, length))
			return refuse(b, REG_ECTYPE, NULL);
		b->at += length + 2;
		return true;
	}
	if (!read_element(b, &first))
		return false;
	last = first;
	if (b->end - b->at >= 2 && b->at[0] == '-' && b->at[1] != ']') {
		b->at++;
		if (!read_element(b, &last))
			return false;
		if (last < first)
			return refuse(b, REG_ERANGE, NULL);
	}
	memset(&set->has[first], true, (size_t)(last - first) + 1);
	return true;
}

/* Reads a bracket expression, whose "[" has been read. */
static bool read_set(struct builder *b)
{
	struct byte_set set = { 0 };
	bool negated = b->at < b->end && *b->at == '^';
	struct automaton *a = b->a;

	if (negated)
		b->at++;
	do {
		if (!read_part(b, &set))
			return false;
		if (b->at == b->end)
			return refuse(b, REG_EBRACK, NULL);
	} while (*b->at != ']');
	b->at++;
	for (size_t i = 0; negated && i < BYTES; i++)
		set.has[i] = !set.has[i];
	a->sets = mem_resize(a->sets, a->set_count + 1, sizeof(set));
	a->sets[a->set_count++] = set;
	return add_atom(b, STEP_SET, (int)a->set_count - 1);
}

/* Reads a byte, and what belongs to it. */
static bool read_next(struct builder *b)
{
	unsigned char byte = *b->at++;

	switch (byte) {
	case '(':
		return open_group(b);
	case ')':
		return close_group(b);
	case '|':
		return next_branch(b);
	case '*':
	case '+':
	case '?':
	case '{':
		return read_repetition(b, byte);
	case '^':
		return add_anchor(b, STEP_BEGIN);
	case '$':
		return add_anchor(b, STEP_END);
	case '.':
		return add_atom(b, STEP_ANY, 0);
	case '[':
		return read_set(b);
	case '\\':
		return read_escape(b);
	default:
		return add_atom(b, STEP_BYTE, byte);
	}
}

/* Reads the whole expression. */
static bool read_all(struct builder *b)
{
	b->groups[0] = (struct group){ 0, 0, NOWHERE, -1, 1 };
	b->atom = NOWHERE;
	while (b->at < b->end) {
		if (!read_next(b))
			return false;
	}
	if (b->depth > 0)
		return refuse(b, REG_EPAREN, NULL);
	end_branches(b);
	return add(b, STEP_MATCH, 0);
}

struct automaton *automaton_new(const char *ere, size_t length, struct automaton_error *err)
{
	struct builder b = { .a = mem_zero(sizeof(*b.a)), .at = (const unsigned char *)ere };

	memset(err, 0, sizeof(*err));
	b.end = b.at + length;
	b.err = err;
	b.a->steps = mem_zero(MAX_AUTOMATON_STEPS * sizeof(b.a->steps[0]));
	if (!read_all(&b)) {
		automaton_free(b.a);
		return NULL;
	}
	b.a->steps = mem_resize(b.a->steps, b.a->count, sizeof(b.a->steps[0]));
	automaton_prepare(b.a);
	return b.a;
}
