/* The nearest known word: a synonym, or by the number of typing mistakes between two words. */
#include "base/near.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
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

/* Returns the length of the parts, each with its separator, with which both words begin. */
static size_t same_start(const char *a, const char *b)
{
	size_t same = 0;

	for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++) {
		if (strchr("-_.", a[i]) != NULL)
			same = i + 1;
	}
	return same;
}

/* Returns the length of the parts, each with its separator, with which both words end. */
static size_t same_end(const char *a, size_t la, const char *b, size_t lb)
{
	size_t same = 0;

	for (size_t i = 1; i <= la && i <= lb && a[la - i] == b[lb - i]; i++) {
		if (strchr("-_.", a[la - i]) != NULL)
			same = i;
	}
	return same;
}

/* Returns whether each letter of a word is in another one. */
static bool has_letters(const char *word, const char *other)
{
	for (; *word != '\0'; word++) {
		if (strchr(other, tolower((unsigned char)*word)) == NULL)
			return false;
	}
	return true;
}

/*
 * Returns the number of edits between the wanted word and another one, or SIZE_MAX if they are too
 * many for a typing mistake.  Parts that both have do not count: "virtio-gpu" is not nearly
 * "virtio-net".
 */
static size_t mistakes(const struct near *n, const char *other)
{
	const char *a = n->wanted;
	size_t la = strlen(a), lb = strlen(other), start = same_start(a, other);
	size_t end = same_end(a + start, la - start, other + start, lb - start);
	size_t rest = la - start - end;
	size_t d = distance(a + start, rest, other + start, lb - start - end);

	if (d >= rest || d > (rest < 5 ? 1 : 1 + rest / 5))
		return SIZE_MAX;
	/* In a short word of vmrun's, another letter makes another word: "hdb" is not "gdb". */
	if (n->words != NEAR_SPELLING && la <= 3 && la == lb && !has_letters(a, other))
		return SIZE_MAX;
	return d;
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
	d = mistakes(n, candidate);
	if (d == SIZE_MAX || (n->best != NULL && d >= n->distance))
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
