/* Lists of strings, and the two directions between a list and a shell's line. */
#include "base/words.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define LEAST_ROOM 8 /* words, with the NULL: a power of two */

/*
 * Returns whether the words and the NULL behind them fill the list: at a power of two, so that the
 * list needs no third member.
 */
static bool is_full(const struct words *w)
{
	size_t taken = w->count + 1;

	return w->count == 0 || (taken >= LEAST_ROOM && (taken & (taken - 1)) == 0);
}

void words_take(struct words *w, char *text)
{
	if (is_full(w))
		w->item = mem_resize(
		    w->item, w->count == 0 ? LEAST_ROOM : 2 * (w->count + 1), sizeof(*w->item));
	w->item[w->count++] = text;
	w->item[w->count] = NULL;
}

void words_add(struct words *w, const char *text)
{
	words_take(w, mem_copy(text));
}

void words_addf(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	words_take(w, mem_vformat(fmt, ap));
	va_end(ap);
}

void words_append(struct words *w, const struct words *more)
{
	for (size_t i = 0; i < more->count; i++)
		words_add(w, more->item[i]);
}

void words_truncate(struct words *w, size_t count)
{
	while (w->count > count) {
		free(w->item[--w->count]);
		w->item[w->count] = NULL;
	}
}

bool words_equal(const struct words *a, const struct words *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->item[i], b->item[i]) != 0)
			return false;
	}
	return true;
}

bool words_have(const struct words *w, const char *text)
{
	for (size_t i = 0; i < w->count; i++) {
		if (strcmp(w->item[i], text) == 0)
			return true;
	}
	return false;
}

/* Adds a word, which may have several lines, on one. */
static void add_word(struct str *line, const char *word)
{
	size_t n = strcspn(word, "\n");

	if (word[n] == '\0') {
		str_add_quoted(line, word);
		return;
	}
	while (*word != '\0') {
		MEM_AUTO char *part = mem_copy_n(word, n);

		if (n > 0)
			str_add_quoted(line, part);
		if (word[n] == '\n')
			str_add(line, "\"" SHELL_NEWLINE "\"");
		word += n + (word[n] == '\n' ? 1 : 0);
		n = strcspn(word, "\n");
	}
}

char *words_shell_line(const struct words *w)
{
	struct str line = { 0 };

	for (size_t i = 0; i < w->count; i++) {
		const char *word = w->item[i];

		if (i > 0)
			str_add_char(&line, ' ');
		/* A first word with a plain `=` in it would be an assignment. */
		if (i == 0 && strchr(word, '=') != NULL)
			str_add(&line, "''");
		add_word(&line, word);
	}
	return str_take(&line);
}

/* Returns whether a backslash joins this line to the next one. */
static bool is_joint(const char *p)
{
	return p[0] == '\\' && p[1] == '\n';
}

/* Reads one word; returns the end of the word, or NULL with *why set. */
static const char *split_word(struct str *word, const char *p, const char **why)
{
	char quote = '\0';

	for (; *p != '\0'; p++) {
		if (quote == '\0' && strchr(" \t\n", *p) != NULL)
			break;
		if (*p == quote) {
			quote = '\0';
		} else if (quote != '\'' && is_joint(p)) {
			p++;
		} else if (quote == '"' && str_after(p, SHELL_NEWLINE) != NULL) {
			str_add_char(word, '\n');
			p += strlen(SHELL_NEWLINE) - 1;
		} else if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == '\\' && quote != '\'' &&
		    (quote == '\0' || (p[1] != '\0' && strchr("\"\\$`", p[1]) != NULL))) {
			if (*++p == '\0') {
				*why = "a backslash at the end";
				return NULL;
			}
			str_add_n(word, p, 1);
		} else {
			str_add_n(word, p, 1);
		}
	}
	if (quote != '\0') {
		*why = "unterminated quote";
		return NULL;
	}
	return p;
}

const char *words_split(struct words *w, const char *text)
{
	const char *why = NULL;

	for (const char *p = text;;) {
		STR_AUTO struct str word = { 0 };

		while (*p != '\0' && (strchr(" \t\n", *p) != NULL || is_joint(p)))
			p += is_joint(p) ? 2 : 1;
		if (*p == '\0')
			return NULL;
		p = split_word(&word, p, &why);
		if (p == NULL)
			return why;
		words_take(w, str_take(&word));
	}
}

void words_free(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->item[i]);
	free(w->item);
	memset(w, 0, sizeof(*w));
}
