/* Regular expressions for text that others send. */
#include "base/pattern.h"

#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/automaton.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_QUOTED_PATTERN 100 /* bytes of an expression that an error message repeats */
#define MAX_REGCOMP_ERROR 128

struct pattern {
	struct automaton *automaton;
};

/* Says that an expression is refused, and why: a text of ours, or an error of regcomp(3). */
static int refuse(const char *ere, size_t length, const char *why, int code, struct error *err)
{
	char text[MAX_REGCOMP_ERROR];
	STR_AUTO struct str quoted = { 0 };

	if (why == NULL) {
		(void)regerror(code, NULL, text, sizeof(text));
		why = text;
	}
	str_add_n(&quoted, ere, length < MAX_QUOTED_PATTERN ? length : MAX_QUOTED_PATTERN);
	if (length > MAX_QUOTED_PATTERN)
		str_add(&quoted, "...");
	return error_set(
	    err, STATUS_USAGE, "invalid regular expression \"%s\": %s", quoted.text, why);
}

int pattern_compile(struct pattern **out, const char *ere, size_t length, struct error *err)
{
	struct automaton_error why;
	struct automaton *automaton;

	if (memchr(ere, '\0', length) != NULL)
		return refuse(ere, length, "it contains a NUL", 0, err);
	if (length > MAX_PATTERN_LENGTH)
		return refuse(ere, length,
		    "it is longer than " STR_LITERAL(MAX_PATTERN_LENGTH) " bytes", 0, err);
	automaton = automaton_new(ere, length, &why);
	if (automaton == NULL)
		return refuse(ere, length, why.why, why.code, err);
	*out = mem_zero(sizeof(**out));
	(*out)->automaton = automaton;
	return 0;
}

size_t pattern_groups(const struct pattern *p)
{
	return automaton_groups(p->automaton);
}

/* Returns the list of the groups of a match. */
static struct node *list_groups(
    const struct pattern *p, const char *line, size_t length, size_t start, size_t end)
{
	size_t n = pattern_groups(p);
	MEM_AUTO size_t *places = mem_zero(2 * n * sizeof(*places));
	struct node *list = node_new(NODE_LIST);

	automaton_find_groups(p->automaton, line, length, start, end, places);
	for (size_t i = 0; i < n; i++) {
		size_t from = places[2 * i], to = places[2 * i + 1];
		bool took_part = from != SIZE_MAX && to != SIZE_MAX;

		node_append(
		    list, took_part ? node_string_n(line + from, to - from) : node_string(""));
	}
	return list;
}

bool pattern_match(const struct pattern *p, const char *line, size_t length, struct node **groups)
{
	size_t start, end;

	if (!automaton_find(p->automaton, line, length, &start, &end))
		return false;
	if (groups == NULL)
		return true;
	if (pattern_groups(p) > 0) {
		*groups = list_groups(p, line, length, start, end);
		return true;
	}
	*groups = node_new(NODE_LIST);
	node_append(*groups, node_string_n(line + start, end - start));
	return true;
}

void pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	automaton_free(p->automaton);
	free(p);
}
