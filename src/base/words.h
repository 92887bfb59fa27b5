/* A list of strings, always NULL-terminated: argv vectors and lists of names. */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
	char **item; /* owned strings; NULL while empty and never added to */
	size_t count;
};

void words_add(struct words *w, const char *text);
void words_addf(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds the string without a copy: the list frees it. */
void words_take(struct words *w, char *text);
void words_append(struct words *w, const struct words *more);
/* Frees all words but the first `count`. */
void words_truncate(struct words *w, size_t count);
/* Returns whether both have the same words in the same order. */
bool words_equal(const struct words *a, const struct words *b);
bool words_have(const struct words *w, const char *text);
/*
 * A newline in double quotes: IFS of a shell is a blank, a tab and a newline at its start.  $(...)
 * would lose newlines at the end of a word, and $'...' is too new for dash.
 */
#define SHELL_NEWLINE "${IFS#??}"
/* Returns one line that a POSIX shell splits into exactly these words.  Caller frees. */
char *words_shell_line(const struct words *w);
/*
 * Splits text at blanks as a POSIX shell does, with quotes and backslashes but without expansion,
 * and adds the words.  Returns NULL, or the reason why the text cannot be split (a static string).
 */
const char *words_split(struct words *w, const char *text);
void words_free(struct words *w);
#define WORDS_AUTO __attribute__((cleanup(words_free)))

#endif
