/* The output of simple commands. */
#include "shell/shell_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/shell_expand.h"

#define MAX_WIDTH 64 /* of a number that printf pads */

/* Adds the character of an escape, p is behind its backslash, and returns its end. */
static const char *put_escape(struct str *s, const char *p)
{
	static const char letters[] = "abfnrtv\\'\"", bytes[] = "\a\b\f\n\r\t\v\\'\"";
	const char *letter = *p == '\0' ? NULL : strchr(letters, *p);
	unsigned value = 0;

	if (letter != NULL) {
		str_add_n(s, &bytes[letter - letters], 1);
		return p + 1;
	}
	if (*p < '0' || *p > '7') {
		str_add(s, "\\");
		return p;
	}
	for (int i = 0; i < 3 && *p >= '0' && *p <= '7'; i++)
		value = value * 8 + (unsigned)(*p++ - '0');
	if (value % 256 != 0) {
		char byte = (char)(value % 256);

		str_add_n(s, &byte, 1);
	}
	return p;
}

static void put_escaped(struct str *s, const char *text)
{
	while (*text != '\0') {
		if (*text == '\\')
			text = put_escape(s, text + 1);
		else
			str_add_n(s, text++, 1);
	}
}

/*
 * Adds a number as "%d" or "%02x" shows it; p points behind the "%".  Returns the end of the
 * conversion, or NULL if this is another conversion or the argument is not a number.
 */
static const char *put_number(struct str *s, const char *p, const char *argument)
{
	const char *conversion = p + strspn(p, "0123456789");
	size_t width = conversion > p ? strtoul(p, NULL, 10) : 0, n;
	char pad = *p == '0' ? '0' : ' ', *behind;
	long long number;
	MEM_AUTO char *digits = NULL;

	errno = 0;
	number = strtoll(argument, &behind, 0);
	if (width > MAX_WIDTH || behind == argument || *behind != '\0' || errno != 0 ||
	    (number < 0 && (width > 0 || strchr("di", *conversion) == NULL)))
		return NULL;
	if (strchr("diu", *conversion) != NULL)
		digits = mem_format("%lld", number);
	else if (*conversion == 'x')
		digits = mem_format("%llx", (unsigned long long)number);
	else if (*conversion == 'X')
		digits = mem_format("%llX", (unsigned long long)number);
	else
		return NULL;
	for (n = strlen(digits); n < width; n++)
		str_add_n(s, &pad, 1);
	str_add(s, digits);
	return conversion + 1;
}

/*
 * Adds a format of printf once, with its next arguments; returns how many it took.  Clears
 * *is_known at a conversion that vmrun does not know.
 */
static size_t put_format(
    struct str *s, const char *format, char *const *argument, size_t count, bool *is_known)
{
	size_t used = 0;

	for (const char *p = format; *p != '\0';) {
		if (*p == '\\') {
			p = put_escape(s, p + 1);
		} else if (*p == '%' && p[1] == '%') {
			str_add(s, "%");
			p += 2;
		} else if (*p == '%' && p[1] != '\0') {
			const char *text = used < count ? argument[used] : "", *behind = p + 2;

			used++;
			if (*++p == 'b')
				put_escaped(s, text);
			else if (*p == 's')
				str_add(s, text);
			else
				behind = put_number(s, p, text);
			*is_known = *is_known && behind != NULL;
			p = behind == NULL ? p + 1 : behind;
		} else {
			str_add_n(s, p++, 1);
		}
	}
	return used < count ? used : count;
}

/* Adds what printf prints; returns whether that is known. */
static bool put_printf(struct str *s, const struct words *w)
{
	size_t i = w->count > 1 && strcmp(w->item[1], "--") == 0 ? 2 : 1, used;
	bool is_known = true;

	if (i >= w->count)
		return true;
	for (size_t k = i + 1;; k += used) {
		used = put_format(s, w->item[i], w->item + k, w->count - k, &is_known);
		if (used == 0 || k + used >= w->count)
			return is_known;
	}
}

static void put_echo(struct str *s, const struct words *w)
{
	bool escapes = false, newline = true;
	size_t i = 1;

	for (; i < w->count && *w->item[i] == '-' && w->item[i][1] != '\0' &&
	     w->item[i][1 + strspn(w->item[i] + 1, "ne")] == '\0';
	     i++) {
		newline = newline && strchr(w->item[i], 'n') == NULL;
		escapes = escapes || strchr(w->item[i], 'e') != NULL;
	}
	for (size_t k = i; k < w->count; k++) {
		str_add(s, k > i ? " " : "");
		if (escapes)
			put_escaped(s, w->item[k]);
		else
			str_add(s, w->item[k]);
	}
	str_add(s, newline ? "\n" : "");
}

/* Returns the here-document of a command, or NULL. */
static const struct shell_redirect *here_of(
    const struct shell_script *script, const struct shell_command *command)
{
	for (size_t i = 0; i < command->redirects; i++) {
		const struct shell_redirect *r = &script->redirect[command->redirect + i];

		if (r->kind == SHELL_HERE)
			return r;
	}
	return NULL;
}

char *shell_output(struct shell_values *v, const struct shell_script *script,
    const struct shell_command *command, struct shell_basis *basis)
{
	const struct shell_word *word = &script->word[command->word];
	const struct shell_redirect *here = here_of(script, command);
	WORDS_AUTO struct words w = { 0 };
	struct str s = { 0 };
	bool is_known = true;
	size_t i = command->words > 0 && shell_is(word, "{") ? 1 : 0;
	const char *name;

	for (; i < command->words; i++)
		shell_expand(v, &word[i], &w, basis);
	if (w.count == 0)
		return NULL;
	name = strrchr(w.item[0], '/') == NULL ? w.item[0] : strrchr(w.item[0], '/') + 1;
	if (strcmp(name, "printf") == 0)
		is_known = put_printf(&s, &w) || basis->missing.count > 0; /* that says more */
	else if (strcmp(name, "echo") == 0)
		put_echo(&s, &w);
	else if (strcmp(name, "cat") == 0 && here != NULL)
		return shell_expand_here(v, here, basis);
	else
		return NULL;
	if (!is_known)
		str_free(&s);
	return is_known ? str_take(&s) : NULL;
}

/* Finds the first command of a group that ends before command `end`. */
static bool find_group(const struct shell_script *script, size_t end, bool in_braces, size_t *first)
{
	for (*first = end; *first > 0;) {
		const struct shell_command *c = &script->command[--*first];

		if (in_braces ? c->words > 0 && shell_is(&script->word[c->word], "{") : c->is_first)
			return true;
	}
	return false;
}

char *shell_group_output(struct shell_values *v, const struct shell_script *script, size_t behind,
    struct shell_basis *basis)
{
	const struct shell_command *last = &script->command[behind - 1];
	bool in_braces = last->words > 0 && shell_is(&script->word[last->word], "}");
	size_t end = in_braces ? behind - 1 : behind, first;
	struct str s = { 0 };

	if (!in_braces && strcmp(last->end, ")|") != 0)
		return shell_output(v, script, last, basis);
	if (!find_group(script, end, in_braces, &first))
		return NULL;
	for (size_t i = first; i < end; i++) {
		char *printed = shell_output(v, script, &script->command[i], basis);

		if (printed == NULL) {
			str_free(&s);
			return NULL;
		}
		str_add(&s, printed);
		free(printed);
	}
	return str_take(&s);
}
