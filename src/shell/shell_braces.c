/* Forms of ${...}. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "shell/shell_assign.h"
#include "shell/shell_expand.h"
#include "shell/shell_expander.h"
#include "shell/shell_list.h"
#include "shell/shell_substitute.h"

#define MAX_DEPTH 16	 /* of ${a:-${b:-...}} */
#define MAX_TRIMMED 2048 /* bytes of a value that a pattern trims */

/* Sets the variable of ${NAME:=word} and adds its value. */
static void put_default(struct shell_expander *x, const char *name, size_t n, const char *word,
    const char *end, bool quoted)
{
	struct shell_basis basis = { 0 };
	const struct shell_word named = { name, n, x->line };
	const struct shell_word rest = { word, (size_t)(end - word), x->line };
	char *value = shell_expand_one(x->v, &rest, &basis);

	shell_put(x->v, &named, n, &basis, value);
	shell_put_variable(x, name, n, quoted);
}

/* What stands in ${}: a name or an element, and an operator behind it. */
struct braces {
	const char *name; /* of the variable, with the number of an element: "a[2]" */
	size_t n;
	char list; /* '@' or '*': all elements; else 0 */
	const char *rest;
};

/* Reads the name in ${}; false: vmrun does not know this form. */
static bool read_braces(const char *p, const char *end, struct braces *b)
{
	size_t n = shell_name_length(p, (size_t)(end - p)), digits = 0;

	*b = (struct braces){ .name = p };
	if (p < end && (*p == '@' || *p == '*')) {
		b->list = *p;
		b->name = "@";
		n = 1;
	} else if (n == 0) {
		while (p + n < end && isdigit((unsigned char)p[n]))
			n++;
	}
	b->n = n;
	b->rest = p + n;
	if (n == 0 || b->rest == end || *b->rest != '[')
		return n > 0;
	p = b->rest + 1;
	if (end - p > 1 && (*p == '@' || *p == '*') && p[1] == ']') {
		b->list = *p;
		b->rest = p + 2;
		return true;
	}
	while (p + digits < end && isdigit((unsigned char)p[digits]))
		digits++;
	if (digits == 0 || p + digits == end || p[digits] != ']')
		return false;
	b->rest = p + digits + 1;
	b->n = digits == 1 && *p == '0' ? n : (size_t)(b->rest - b->name);
	return true;
}

static void put_named(struct shell_expander *x, const struct braces *b, bool quoted)
{
	if (b->list != '\0')
		shell_put_list(x, b->name, b->n, b->list, quoted);
	else
		shell_put_variable(x, b->name, b->n, quoted);
}

/* Returns whether n bytes match the pattern.  Only the last "*" is tried again, so it is quick. */
static bool matches(const char *text, size_t n, const char *pattern)
{
	const char *star = NULL, *end = text + n, *again = text;

	while (text < end) {
		if (*pattern == '*') {
			star = pattern++;
			again = text;
		} else if (*pattern != '\0' && (*pattern == '?' || *pattern == *text)) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++again;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

/*
 * Returns the value without the shortest, or the longest, part that matches the pattern, which has
 * "*" and "?".  Caller frees.
 */
static char *trim(const char *value, const char *pattern, bool at_end, bool is_longest)
{
	size_t length = strlen(value);

	for (size_t i = 0; i <= length; i++) {
		size_t n = is_longest ? length - i : i; /* bytes that are removed */

		if (matches(at_end ? value + length - n : value, n, pattern))
			return at_end ? mem_copy_n(value, length - n) : mem_copy(value + n);
	}
	return mem_copy(value);
}

/* Adds what ${NAME%PATTERN} leaves; returns false if vmrun does not know the pattern. */
static bool put_trimmed(
    struct shell_expander *x, const struct braces *b, const char *end, bool quoted)
{
	const struct shell_variable *found = shell_seen(x->v, b->name, b->n);
	bool is_longest = b->rest + 1 < end && b->rest[1] == *b->rest;
	const char *begin = b->rest + (is_longest ? 2 : 1);
	const struct shell_word word = { begin, (size_t)(end - begin), x->line };
	SHELL_BASIS_AUTO struct shell_basis all = { 0 };
	MEM_AUTO char *pattern = NULL;
	MEM_AUTO char *left = NULL;

	if (found == NULL && !shell_has(b->name, b->n)) {
		shell_miss_variable(x->v, b->name, b->n, x->line, x->basis);
		return true;
	}
	if (found == NULL)
		return false;
	for (const char *p = begin; p < end; p++) {
		if (strchr("'\"\\[`", *p) != NULL)
			return false;
	}
	shell_use(x->v, found, &all);
	pattern = shell_expand_one(x->v, &word, &all);
	found = shell_seen(x->v, b->name, b->n);
	if (found == NULL || strlen(found->value) > MAX_TRIMMED || strlen(pattern) > MAX_TRIMMED ||
	    !shell_spend(x->v, strlen(found->value), x->line))
		return false;
	left = trim(found->value, pattern, *b->rest == '%', is_longest);
	if (*b->rest == '%' && strcmp(pattern, "/*") == 0)
		shell_forget_file(x->v, &all);
	shell_basis_append(x->basis, &all);
	shell_put_value(x, left, quoted);
	return true;
}

/* Adds the length of a value, or the number of elements: ${#NAME}, ${#NAME[@]}, ${#}. */
static bool put_length(struct shell_expander *x, const char *p, const char *end)
{
	struct braces b;
	const struct shell_variable *found;
	size_t count;
	MEM_AUTO char *text = NULL;

	if (p == end) {
		shell_put_variable(x, "#", 1, true);
		return true;
	}
	if (!read_braces(p, end, &b) || b.rest != end)
		return false;
	if (b.list != '\0') {
		if (!shell_list_count(x->v, b.name, b.n, &found))
			return false;
		if (found != NULL)
			shell_use(x->v, found, x->basis);
		count = shell_list_length(x->v, b.name, b.n);
	} else {
		found = shell_seen(x->v, b.name, b.n);
		if (found == NULL)
			return false;
		shell_use(x->v, found, x->basis);
		count = strlen(found->value);
	}
	text = mem_format("%zu", count);
	shell_put_value(x, text, true);
	return true;
}

/* Returns whether the variable is set, or the list has elements; a ":" wants a value, too. */
static bool has_value(struct shell_expander *x, const struct braces *b, bool colon)
{
	const struct shell_variable *found = shell_seen(x->v, b->name, b->n);

	if (b->list != '\0')
		return shell_list_length(x->v, b->name, b->n) > 0;
	return found != NULL && (!colon || *found->value != '\0');
}

/*
 * Returns whether the text does not tell if a variable that looks empty has a value, as of read or
 * $(...), and adds that.  Else adds the notes on the empty value, in whose place another one
 * stands.
 */
static bool put_unknown(struct shell_expander *x, const struct shell_variable *found)
{
	SHELL_BASIS_AUTO struct shell_basis all = { 0 };

	shell_use(x->v, found, &all);
	if (all.is_unknown)
		shell_basis_append(x->basis, &all);
	for (size_t i = 0; i < all.note.count; i++)
		shell_add_once(&x->basis->note, all.note.item[i]);
	return all.is_unknown;
}

bool shell_put_braces(
    struct shell_expander *x, const char *p, const char *end, bool quoted, unsigned depth)
{
	struct braces b;
	const struct shell_variable *found;
	const char *word;
	bool colon, has;

	if (p < end && *p == '#')
		return put_length(x, p + 1, end);
	if (!read_braces(p, end, &b) || depth >= MAX_DEPTH)
		return false;
	if (b.rest == end) {
		put_named(x, &b, quoted);
		return true;
	}
	if (strchr("%#", *b.rest) != NULL)
		return b.list == '\0' && put_trimmed(x, &b, end, quoted);
	colon = *b.rest == ':';
	word = b.rest + (colon ? 1 : 0);
	if (word == end || strchr("-=+?", *word) == NULL || (b.list != '\0' && *word == '='))
		return false;
	found = shell_seen(x->v, b.name, b.n);
	has = has_value(x, &b, colon);
	if (found != NULL && !has && b.list == '\0' && put_unknown(x, found))
		return true;
	if (found == NULL && b.list == '\0' && shell_has(b.name, b.n)) {
		shell_miss_variable(x->v, b.name, b.n, x->line, x->basis);
		return true;
	}
	if (*word == '+') {
		if (found != NULL)
			shell_use(x->v, found, x->basis);
		if (has)
			shell_put_all(x, word + 1, end, quoted, depth + 1);
	} else if (has) {
		put_named(x, &b, quoted);
	} else if (*word == '-') {
		shell_put_all(x, word + 1, end, quoted, depth + 1);
	} else if (*word == '=') {
		put_default(x, b.name, b.n, word + 1, end, quoted);
	} else {
		shell_miss_variable(x->v, b.name, b.n, x->line, x->basis);
	}
	return true;
}
