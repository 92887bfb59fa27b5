/* Parameters, quotes and fields of a shell. */
#include "shell/shell_expand.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/shell_assign.h"
#include "shell/shell_expander.h"
#include "shell/shell_list.h"
#include "shell/shell_number.h"
#include "shell/shell_substitute.h"

#define BLANKS " \t\n"

/* Notes that a shell has file names in place of a pattern. */
static void note_pattern(struct shell_expander *x)
{
	STR_AUTO struct str note = { 0 };

	str_addf(&note, "%s:%zu: the import uses the pattern \"", x->v->text_name, x->line);
	str_add_line(&note, x->field.text, MAX_SHELL_SHOWN);
	str_add(
	    &note, "\" as it is: a shell uses each file that matches: write the path in its place");
	shell_add_once(&x->basis->note, note.text);
}

/* Keeps in mind that n bytes without quotes may make the field a pattern. */
static void find_pattern(struct shell_expander *x, const char *text, size_t n)
{
	x->has_pattern = x->has_pattern || memchr(text, '*', n) != NULL ||
	    memchr(text, '?', n) != NULL || (n > 1 && memchr(text, '[', n) != NULL);
}

static void end_field(struct shell_expander *x)
{
	if (x->has_field && x->has_pattern)
		note_pattern(x);
	x->has_pattern = false;
	if (x->has_field)
		words_take(x->out, str_take(&x->field));
	x->has_field = false;
}

static void put(struct shell_expander *x, const char *text, size_t n)
{
	str_add_n(&x->field, text, n);
	x->has_field = true;
}

/* Returns the characters that separate fields. */
static const char *separators(const struct shell_values *v)
{
	const struct shell_variable *ifs = shell_value(v, "IFS");

	return ifs == NULL ? BLANKS : ifs->value;
}

/* Returns how many blanks that separate fields stand here. */
static size_t count_blanks(const char *value, const char *between)
{
	size_t n = 0;

	while (value[n] != '\0' && strchr(BLANKS, value[n]) != NULL &&
	    strchr(between, value[n]) != NULL)
		n++;
	return n;
}

/*
 * Ends a field and skips its separator.  The field may be empty, unless the separator is blank.
 * Returns what follows.
 */
static const char *skip_separator(struct shell_expander *x, const char *value, const char *between)
{
	value += count_blanks(value, between);
	if (*value != '\0' && strchr(between, *value) != NULL) {
		x->has_field = true;
		value++;
	}
	end_field(x);
	return value;
}

void shell_put_value(struct shell_expander *x, const char *value, bool quoted)
{
	const char *between = separators(x->v);

	if (!shell_spend(x->v, strlen(value), x->line))
		return;
	if (quoted || !x->splits) {
		put(x, value, strlen(value));
		return;
	}
	while (*value != '\0') {
		size_t n = strcspn(value, between);

		find_pattern(x, value, n);
		if (n > 0)
			put(x, value, n);
		value = n > 0 ? value + n : skip_separator(x, value, between);
	}
}

/* Notes that vmrun does not work out what a shell does, and what the user can do. */
static void miss(struct shell_expander *x, const char *name, size_t n, const char *advice)
{
	STR_AUTO struct str shown = { 0 };
	MEM_AUTO char *whole = mem_copy_n(name, n);
	MEM_AUTO char *problem = NULL;

	str_add_line(&shown, whole, MAX_SHELL_SHOWN);
	problem = mem_format("%s:%zu: vmrun cannot work out %s: %s", x->v->text_name, x->line,
	    shown.text == NULL ? "" : shown.text, advice);
	shell_add_missing(x->basis, shown.text == NULL ? "" : shown.text, problem);
}

bool shell_has(const char *name, size_t n)
{
	static const char *const names[] = { "#", "$", "-", "?", "HOME", "IFS", "LOGNAME", "PATH",
		"PPID", "PWD", "SHELL", "USER" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
			return true;
	}
	return false;
}

void shell_miss_variable(const struct shell_values *v, const char *name, size_t n, size_t line,
    struct shell_basis *basis)
{
	MEM_AUTO char *dollar = mem_format("$%.*s", (int)n, name);
	STR_AUTO struct str problem = { 0 }, shown = { 0 };

	bool is_hidden = !isdigit((unsigned char)*name) && words_have(&v->hidden, dollar + 1);

	str_add_line(&shown, dollar, MAX_SHELL_SHOWN);
	str_addf(&problem, "%s:%zu: %s is not %s: ", v->text_name, line, shown.text,
	    is_hidden ? "exported to this command" : "set in this text");
	if (isdigit((unsigned char)*name) || shell_name_length(name, n) < n ||
	    (is_hidden && (v->is_clean || shell_exported(v, name, n) != NULL)))
		str_add(&problem, "write its value in its place");
	else if (is_hidden)
		str_addf(&problem, "put a line \"export %.*s\" before the command", (int)n, name);
	else if (v->source_line > 0)
		str_addf(&problem,
		    "the file of line %zu, \"%s\", may set it: put the lines of that file into the "
		    "text in place of that line",
		    v->source_line, v->source);
	else
		str_addf(&problem, "put a line %.*s=VALUE before the command", (int)n, name);
	shell_add_unset(basis, shown.text, problem.text);
	basis->is_unknown = basis->is_unknown || shell_has(name, n);
}

/* Adds the value of a variable that is set. */
static void put_found(struct shell_expander *x, const struct shell_variable *found, bool quoted)
{
	/* Names and notes are copied, too. */
	if (!shell_spend(x->v,
		64 *
		    (found->basis.missing.count + found->basis.note.count +
			found->outside.note.count),
		x->line))
		return;
	shell_use(x->v, found, x->basis);
	shell_put_value(x, found->value, quoted);
}

void shell_put_variable(struct shell_expander *x, const char *name, size_t n, bool quoted)
{
	const struct shell_variable *found = shell_seen(x->v, name, n);
	MEM_AUTO char *directory = NULL;

	if (found != NULL) {
		put_found(x, found, quoted);
		return;
	}
	if (n == 3 && memcmp(name, "PWD", 3) == 0)
		directory = shell_working_directory(x->v, x->basis);
	if (directory != NULL)
		shell_put_value(x, directory, quoted);
	else
		shell_miss_variable(x->v, name, n, x->line, x->basis);
}

void shell_put_list(struct shell_expander *x, const char *name, size_t n, char mark, bool quoted)
{
	const struct shell_variable *number;
	const char *between;
	size_t count;

	if (!shell_list_count(x->v, name, n, &number)) {
		shell_miss_variable(x->v, name, n, x->line, x->basis);
		return;
	}
	count = shell_list_length(x->v, name, n);
	between = mark == '*' ? separators(x->v) : " ";
	if (number != NULL && shell_spend(x->v, 64, x->line))
		shell_use(x->v, number, x->basis);
	if (count == 0 && quoted && mark == '@') {
		x->has_field = x->had_field || x->field.length > 0;
		x->is_empty_list = true;
	}
	for (size_t i = 0; i < count && shell_spend(x->v, 64, x->line); i++) {
		const struct shell_variable *found = shell_list_item(x->v, name, n, i);

		if (i > 0 && x->splits && !(quoted && mark == '*'))
			end_field(x);
		else if (i > 0)
			put(x, between, *between == '\0' ? 0 : 1);
		if (found != NULL)
			put_found(x, found, quoted);
		x->has_field = x->has_field || quoted;
	}
}

/* Adds what $(...) prints, or the value of $((...)). */
static void put_substitution(struct shell_expander *x, const char *p, const char *end, bool quoted)
{
	bool is_number = end - p > 4 && p[2] == '(' && end[-2] == ')';
	const struct shell_word inside = { p + 3, (size_t)(end - p) - 5, x->line };
	MEM_AUTO char *text = NULL;

	if (is_number) {
		MEM_AUTO char *expression = shell_expand_one(x->v, &inside, x->basis);

		text = shell_number(x->v, expression, x->line, x->basis);
		if (text == NULL &&
		    (strchr(expression, '=') != NULL || strstr(expression, "++") != NULL ||
			strstr(expression, "--") != NULL))
			shell_lose_names(x->v, expression, strlen(expression), x->line);
	} else {
		text = shell_substitute(x->v, p + 2, (size_t)(end - p) - 3, x->line, x->basis);
	}
	if (text != NULL)
		shell_put_value(x, text, quoted);
	else
		miss(x, p, (size_t)(end - p),
		    is_number ? "write its value in its place"
			      : "write what it prints in its place");
}

/* Adds what `...` prints, and returns its end. */
static const char *put_backticks(
    struct shell_expander *x, const char *p, const char *end, bool quoted)
{
	const char *behind = shell_skip(p + 1, end, '`', false);
	MEM_AUTO char *text = NULL;

	if (behind != NULL && memchr(p, '\\', (size_t)(behind - p)) == NULL)
		text = shell_substitute(x->v, p + 1, (size_t)(behind - p) - 2, x->line, x->basis);
	behind = behind == NULL ? end : behind;
	if (text != NULL)
		shell_put_value(x, text, quoted);
	else
		miss(x, p, (size_t)(behind - p), "write what it prints in its place");
	return behind;
}

/* Adds the text of $'...', p is behind the quote; returns its end. */
static const char *put_quoted(struct shell_expander *x, const char *p, const char *end)
{
	const char *begin = p;
	bool has_escape = false;

	for (; p < end && *p != '\''; p++) {
		has_escape = has_escape || *p == '\\';
		p += *p == '\\' && p + 1 < end ? 1 : 0;
	}
	if (has_escape)
		miss(x, begin - 2, (size_t)(p - begin) + 2 + (p < end ? 1 : 0),
		    "write its characters in its place");
	else
		put(x, begin, (size_t)(p - begin));
	return p < end ? p + 1 : end;
}

/* Expands what begins with "$" and returns its end. */
static const char *put_dollar(
    struct shell_expander *x, const char *p, const char *end, bool quoted, unsigned depth)
{
	const char *behind = NULL;
	size_t n;

	if (end - p > 1 && (p[1] == '(' || p[1] == '{')) {
		behind = shell_skip(p + 2, end, p[1] == '(' ? ')' : '}', quoted);
		if (behind == NULL) {
			miss(x, p, (size_t)(end - p), "it has no end");
			return end;
		}
		/* The newlines of vmrun's own lines. */
		if (quoted && str_after(p, SHELL_NEWLINE) == behind &&
		    shell_value(x->v, "IFS") == NULL)
			put(x, "\n", 1);
		else if (p[1] == '(')
			put_substitution(x, p, behind, quoted);
		else if (!shell_put_braces(x, p + 2, behind - 1, quoted, depth))
			miss(x, p, (size_t)(behind - p), "write its value in its place");
		return behind;
	}
	if (end - p > 1 && p[1] == '\'' && !quoted)
		return put_quoted(x, p + 2, end);
	n = shell_name_length(p + 1, (size_t)(end - p - 1));
	if (n == 0 && end - p > 1 && strchr("0123456789@*#?$!-", p[1]) != NULL)
		n = 1;
	if (n > 0 && (p[1] == '@' || p[1] == '*'))
		shell_put_list(x, "@", 1, p[1], quoted);
	else if (n > 0)
		shell_put_variable(x, p + 1, n, quoted);
	else
		put(x, "$", 1);
	return p + 1 + n;
}

/* Reads what stands behind a backslash and returns its end. */
static const char *put_escaped(
    struct shell_expander *x, const char *p, const char *end, bool quoted)
{
	if (p + 1 == end) {
		put(x, p, 1);
		return end;
	}
	if (p[1] == '\n')
		return p + 2;
	if (quoted && strchr("\"\\$`", p[1]) == NULL)
		put(x, p, 1);
	put(x, p + 1, 1);
	return p + 2;
}

/* Begins or ends "", which is a field also if it is empty, unless "$@" in it has no elements. */
static void put_quote(struct shell_expander *x, bool is_opening)
{
	if (is_opening) {
		x->had_field = x->has_field;
		x->is_empty_list = false;
		x->has_field = true;
	} else if (!x->is_empty_list) {
		x->has_field = true;
	}
}

/* Notes that a "~" stands for a home directory, which the text does not tell. */
static const char *skip_tilde(struct shell_expander *x, const char *p, const char *end)
{
	if (p == end || *p != '~')
		return p;
	miss(x, p,
	    strcspn(p, " \t\n/") < (size_t)(end - p) ? strcspn(p, " \t\n/") : (size_t)(end - p),
	    "write the path of the home directory in its place");
	return p + 1;
}

void shell_put_all(
    struct shell_expander *x, const char *p, const char *end, bool quoted, unsigned depth)
{
	bool is_inside =
	    quoted && depth > 0; /* "${NAME:-...}", where no quotes end those around it */

	if (depth > 0 && !quoted)
		p = skip_tilde(x, p, end); /* ${D:-~/vm} */
	while (p < end && !x->v->too_long) {
		if (*p == '"' && is_inside && !x->is_here) {
			p++;
		} else if (*p == '\\') {
			p = put_escaped(x, p, end, quoted);
		} else if (*p == '\'' && !quoted) {
			const char *close = memchr(p + 1, '\'', (size_t)(end - p - 1));

			close = close == NULL ? end : close;
			put(x, p + 1, (size_t)(close - p - 1));
			p = close + (close < end ? 1 : 0);
		} else if (*p == '"' && !x->is_here) {
			quoted = !quoted;
			put_quote(x, quoted);
			p++;
		} else if (*p == '$') {
			p = put_dollar(x, p, end, quoted, depth);
		} else if (*p == '`') {
			p = put_backticks(x, p, end, quoted);
		} else if (depth > 0 && !quoted && x->splits && strchr(" \t\n", *p) != NULL) {
			end_field(x); /* in ${NAME:-a b} */
			p++;
		} else {
			if (!quoted)
				find_pattern(x, p, 1);
			put(x, p++, 1);
			if (p[-1] == ':' && !quoted && !x->splits)
				p = skip_tilde(x, p, end); /* D=hd:~/vm */
		}
	}
}

/* Returns whether bash makes several words of this one: a{b,c} or {1..3}. */
static bool has_alternatives(const char *p, const char *end)
{
	bool is_open = false, has_several = false;

	while (p != NULL && p < end) {
		char c = *p++, next = p < end ? *p : '\0';

		if (c == '\\')
			p += p < end ? 1 : 0;
		else if (c == '\'' || c == '"' || c == '`')
			p = shell_skip(p, end, c, c == '"');
		else if (c == '$' && (next == '(' || next == '{'))
			p = shell_skip(p + 1, end, next == '(' ? ')' : '}', false);
		else if (c == '{')
			is_open = true;
		else if (c == ',' || (c == '.' && next == '.'))
			has_several = is_open;
		else if (c == '}' && has_several)
			return true;
	}
	return false;
}

void shell_expand(struct shell_values *v, const struct shell_word *word, struct words *out,
    struct shell_basis *basis)
{
	struct shell_expander x = { v, basis, word->line, true, false, out, { 0 }, false, false,
		false, false };
	const char *end = word->text + word->length;

	if (has_alternatives(word->text, end))
		miss(&x, word->text, word->length,
		    "bash makes several words of it: write them in its place");
	shell_put_all(&x, skip_tilde(&x, word->text, end), end, false, 0);
	end_field(&x);
	str_free(&x.field);
}

char *shell_expand_one(
    struct shell_values *v, const struct shell_word *word, struct shell_basis *basis)
{
	struct shell_expander x = { v, basis, word->line, false, false, NULL, { 0 }, false, false,
		false, false };
	const char *end = word->text + word->length;

	shell_put_all(&x, skip_tilde(&x, word->text, end), end, false, 0);
	return str_take(&x.field);
}

char *shell_expand_here(
    struct shell_values *v, const struct shell_redirect *here, struct shell_basis *basis)
{
	const struct shell_word *body = &here->target;
	struct shell_expander x = { v, basis, body->line, false, true, NULL, { 0 }, false, false,
		false, false };
	char *text;

	if (here->is_string) {
		text = shell_expand_one(v, body, basis);
		str_addf(&x.field, "%s\n", text);
		free(text);
		return str_take(&x.field);
	}
	if (here->is_literal)
		put(&x, body->text, body->length);
	else
		shell_put_all(&x, body->text, body->text + body->length, true, 0);
	text = str_take(&x.field);
	if (here->has_tabs) {
		char *whole = text;

		text = shell_without_tabs(whole);
		free(whole);
	}
	return text;
}
