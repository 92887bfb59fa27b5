/* The nearest known word: a synonym, or by the number of typing mistakes between two words. */
#include "base/near.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/synonyms.h"

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/*
 * Returns the number of edits (insert, delete, replace, swap of neighbours) from a to b, letter
 * case aside.
 */
static size_t distance(const char *a, size_t la, const char *b, size_t lb)
{
	size_t row[3][MAX_NEAR_WORD + 1];
	size_t *prev2 = row[0], *prev = row[1], *cur = row[2];

	for (size_t j = 0; j <= lb; j++)
		prev[j] = prev2[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *old = prev2;

		cur[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			int x = tolower((unsigned char)a[i - 1]),
			    y = tolower((unsigned char)b[j - 1]);

			cur[j] = least(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				cur[j] = least(cur[j], prev2[j - 2] + 1, cur[j]);
		}
		prev2 = prev;
		prev = cur;
		cur = old;
	}
	return prev[lb];
}

void near_offer(struct near *n, const char *candidate)
{
	size_t la = strlen(n->wanted), lb = strlen(candidate), d;
	const struct synonym *synonym = synonym_find(n->words, n->wanted, candidate);

	if (synonym != NULL && (n->best == NULL || n->distance > 0)) {
		n->best = candidate;
		n->distance = 0;
		n->example = synonym->example;
		return;
	}
	if (la == 0 || la > MAX_NEAR_WORD || lb > MAX_NEAR_WORD)
		return;
	d = distance(n->wanted, la, candidate, lb);
	/* More than one edit and a quarter of the letters is another word. */
	if (d > 1 + la / 4 || d >= la || (n->best != NULL && d >= n->distance))
		return;
	n->best = candidate;
	n->distance = d;
	n->example = NULL;
}

static char *hint(const struct near *n, const char *before, const char *after)
{
	if (n->best == NULL)
		return mem_copy("");
	return mem_format(", did you mean %s%s%s?%s%s", before, n->best, after,
	    n->example == NULL ? "" : " Write ", n->example == NULL ? "" : n->example);
}

char *near_hint(const struct near *n)
{
	return hint(n, "\"", "\"");
}

char *near_option_hint(const struct near *n)
{
	return hint(n, "--", "");
}
