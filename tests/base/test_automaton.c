/* Regular expressions: which are accepted, and that they match what regexec(3) matches. */
#include "dice.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/automaton.h"
#include "base/str.h"

#define MAX_ATOMS 5 /* of an alternative */
#define MAX_DEPTH 3 /* groups inside each other */

/* Adds an atom: characters, sets, anchors, groups. */
static void add_atom(struct dice *d, struct str *ere, int depth);

static void add_alternatives(struct dice *d, struct str *ere, int depth)
{
	unsigned n = 1 + dice_roll(d, 3) / 2;

	for (unsigned i = 0; i < n; i++) {
		unsigned atoms = 1 + dice_roll(d, MAX_ATOMS);

		if (i > 0)
			str_add(ere, "|");
		for (unsigned k = 0; k < atoms; k++)
			add_atom(d, ere, depth);
	}
}

static void add_atom(struct dice *d, struct str *ere, int depth)
{
	static const char *const atoms[] = { "a", "b", "c", "a", "b", ".", "[ab]", "[^a]", "[]b]",
		"[^]a]", "[a-b]", "[[:alpha:]]", "\\.", "[\\.]", "[[.a.]-b]", "\\\\", "\xc3\xa4",
		"\xff", "[[=c=]]", "[[:punct:]c-]" };
	static const char *const counts[] = { "*", "+", "?", "{2}", "{0,1}", "{1,3}", "{2,}", "{0}",
		"{0,2}", "{0,}" };

	if (depth == MAX_DEPTH && dice_roll(d, 8) == 0) {
		str_add(ere, dice_roll(d, 2) == 0 ? "^" : "$");
		return;
	}
	if (depth > 0 && dice_roll(d, 4) == 0) {
		str_add(ere, "(");
		add_alternatives(d, ere, depth - 1);
		str_add(ere, ")");
	} else {
		str_add(ere, atoms[dice_roll(d, sizeof(atoms) / sizeof(atoms[0]))]);
	}
	if (dice_roll(d, 3) == 0)
		str_add(ere, counts[dice_roll(d, sizeof(counts) / sizeof(counts[0]))]);
}

static void add_line(struct dice *d, struct str *line)
{
	static const char *const parts[] = { "a", "b", "c", "a", "b", "]", ".", "\\", "\xc3\xa4",
		"\xff", "aab" };
	unsigned n = dice_roll(d, 12);

	str_add(line, "");
	for (unsigned i = 0; i < n; i++)
		str_add(line, parts[dice_roll(d, sizeof(parts) / sizeof(parts[0]))]);
}

/* Compares the match in a line with that of regexec(3). */
static void compare(const struct dice *d, const struct automaton *a, const regex_t *regex,
    const char *ere, const char *line)
{
	size_t start = 0, end = 0;
	regmatch_t m = { 0 };
	bool expected = regexec(regex, line, 1, &m, 0) == 0;
	bool found = automaton_find(a, line, strlen(line), &start, &end);
	char what[512];

	(void)snprintf(what, sizeof(what), "\"%s\" in \"%s\": %d at %zu-%zu, expected %d at %d-%d",
	    ere, line, found, start, end, expected, (int)m.rm_so, (int)m.rm_eo);
	dice_check(d, found == expected, what);
	if (found)
		dice_check(d, (regoff_t)start == m.rm_so && (regoff_t)end == m.rm_eo, what);
}

/* What is found is what POSIX says: the leftmost match, and its longest one. */
static void test_matches_are_those_of_regexec(void **state)
{
	struct automaton_error why;

	(void)state;
	for (unsigned seed = 0; seed < 20000; seed++) {
		struct dice d;
		STR_AUTO struct str ere = { 0 };
		struct automaton *a;
		regex_t regex;

		dice_start(&d, seed);
		add_alternatives(&d, &ere, MAX_DEPTH);
		a = automaton_new(ere.text, ere.length, &why);
		if (a == NULL || regcomp(&regex, ere.text, REG_EXTENDED) != 0) {
			printf("%s\n", ere.text);
			dice_check(&d, false, ere.text);
			automaton_free(a);
			continue;
		}
		for (unsigned i = 0; i < 10; i++) {
			STR_AUTO struct str line = { 0 };

			add_line(&d, &line);
			compare(&d, a, &regex, ere.text, line.text);
		}
		automaton_free(a);
		regfree(&regex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches_are_those_of_regexec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
