/* Variables of a shell script. */
#include "shell/shell_values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_VARIABLES 1000
#define MAX_BASIS 32 /* names and notes that a value keeps */
#define MAX_DEPTH 16 /* of ${a:-${b:-...}} */
#define MAX_SHOWN 60 /* bytes of a value in a message */

/* One word on its way to fields. */
struct expander {
	struct shell_values *v;
	struct shell_basis *basis;
	size_t line;
	bool splits;  /* unquoted values are split at blanks */
	bool is_here; /* a here-document, in which quotes are text */
	struct words *out;
	struct str field;
	bool has_field; /* also an empty one, as of "" */
};

static void expand(struct expander *x, const char *p, const char *end, bool quoted, unsigned depth);

static void end_field(struct expander *x)
{
	if (x->has_field)
		words_take(x->out, str_take(&x->field));
	x->has_field = false;
}

static void put(struct expander *x, const char *text, size_t n)
{
	str_add_n(&x->field, text, n);
	x->has_field = true;
}

/* Counts bytes that come from variables; returns whether they still fit. */
static bool spend(struct expander *x, size_t n)
{
	x->v->expanded += n;
	if (!x->v->too_long && x->v->expanded > MAX_SHELL_EXPANDED) {
		x->v->too_long = true;
		x->v->limit_line = x->line;
	}
	return !x->v->too_long;
}

/* Adds a value, which is split at blanks where it has no quotes. */
static void put_value(struct expander *x, const char *value, bool quoted)
{
	if (!spend(x, strlen(value)))
		return;
	if (quoted || !x->splits) {
		put(x, value, strlen(value));
		return;
	}
	while (*value != '\0') {
		size_t n = strcspn(value, " \t\n");

		if (n > 0)
			put(x, value, n);
		else
			end_field(x);
		value += n > 0 ? n : 1;
	}
}

static void add_once(struct words *w, const char *text)
{
	if (w->count < MAX_BASIS && !words_have(w, text))
		words_add(w, text);
}

static void basis_append(struct shell_basis *basis, const struct shell_basis *more)
{
	for (size_t i = 0; i < more->missing.count; i++) {
		if (basis->missing.count < MAX_BASIS &&
		    !words_have(&basis->missing, more->missing.item[i])) {
			words_add(&basis->missing, more->missing.item[i]);
			words_add(&basis->problem, more->problem.item[i]);
		}
	}
	for (size_t i = 0; i < more->note.count; i++)
		add_once(&basis->note, more->note.item[i]);
}

/* Notes that the text does not tell the value of `name`, and what the user can do. */
static void miss(struct expander *x, const char *name, size_t n, const char *advice)
{
	STR_AUTO struct str shown = { 0 };

	MEM_AUTO char *whole = mem_copy_n(name, n);

	str_add_line(&shown, whole, MAX_SHOWN);
	if (x->basis->missing.count >= MAX_BASIS || words_have(&x->basis->missing, shown.text))
		return;
	words_add(&x->basis->missing, shown.text);
	words_addf(&x->basis->problem, "%s:%zu: %s is not set in this text: %s", x->v->text_name,
	    x->line, shown.text, advice);
}

static void miss_variable(struct expander *x, const char *name, size_t n)
{
	MEM_AUTO char *dollar = mem_format("$%.*s", (int)n, name);
	MEM_AUTO char *advice =
	    mem_format("put a line %.*s=VALUE before the command", (int)n, name);

	if (isdigit((unsigned char)*name) || shell_name_length(name, n) == 0)
		miss(x, dollar, strlen(dollar), "write its value in its place");
	else
		miss(x, dollar, strlen(dollar), advice);
}

static struct shell_variable *find(const struct shell_values *v, const char *name, size_t n)
{
	for (size_t i = 0; i < v->count; i++) {
		if (strncmp(v->item[i].name, name, n) == 0 && v->item[i].name[n] == '\0')
			return &v->item[i];
	}
	return NULL;
}

/* Adds the value of a variable, or notes that it is missing. */
static void put_variable(struct expander *x, const char *name, size_t n, bool quoted)
{
	const struct shell_variable *found = find(x->v, name, n);

	if (found == NULL) {
		miss_variable(x, name, n);
		return;
	}
	/* Names and notes are copied, too. */
	if (!spend(x, 64 * (found->basis.missing.count + found->basis.note.count)))
		return;
	basis_append(x->basis, &found->basis);
	put_value(x, found->value, quoted);
}

/* Returns the variable, a new one if there was none; NULL: there are too many. */
static struct shell_variable *set(struct shell_values *v, const char *name, size_t n, size_t line)
{
	struct shell_variable *found = find(v, name, n);

	if (found != NULL)
		return found;
	if (v->count == MAX_VARIABLES) {
		v->too_many = true;
		v->limit_line = line;
		return NULL;
	}
	if (v->item == NULL)
		v->item = mem_resize(NULL, MAX_VARIABLES, sizeof(*v->item));
	found = &v->item[v->count++];
	*found = (struct shell_variable){ .name = mem_copy_n(name, n) };
	return found;
}

/* Gives a variable a value, which it takes with what the value rests on. */
static void set_value(struct shell_values *v, const char *name, size_t n, size_t line,
    struct shell_basis *basis, char *value)
{
	struct shell_variable *variable = set(v, name, n, line);

	if (variable == NULL) {
		free(value);
		shell_basis_free(basis);
		return;
	}
	free(variable->value);
	shell_basis_free(&variable->basis);
	variable->value = value;
	variable->line = line;
	variable->basis = *basis;
	*basis = (struct shell_basis){ 0 };
}

/* Sets the variable of ${NAME:=word} and adds its value. */
static void put_default(
    struct expander *x, const char *name, size_t n, const char *word, const char *end, bool quoted)
{
	struct shell_basis basis = { 0 };
	const struct shell_word rest = { word, (size_t)(end - word), x->line };
	char *value = shell_expand_one(x->v, &rest, &basis);

	set_value(x->v, name, n, x->line, &basis, value);
	put_variable(x, name, n, quoted);
}

/*
 * Expands what stands in ${}: NAME, or NAME with one of - = + ? and a word, each with or without
 * a ":".  Other operators of shells are reported as missing values.
 */
static void put_braces(
    struct expander *x, const char *p, const char *end, bool quoted, unsigned depth)
{
	size_t n = shell_name_length(p, (size_t)(end - p));
	const char *name = p, *word;
	const struct shell_variable *found;
	bool colon, has;

	/* The newlines of vmrun's own lines. */
	if (quoted && str_after(p - 2, SHELL_NEWLINE) == end + 1 && find(x->v, "IFS", 3) == NULL) {
		put(x, "\n", 1);
		return;
	}
	while (
	    (n == 0 || isdigit((unsigned char)*p)) && p + n < end && isdigit((unsigned char)p[n]))
		n++;
	word = p + n;
	if (n > 0 && word == end) {
		put_variable(x, name, n, quoted);
		return;
	}
	colon = n > 0 && *word == ':';
	word += colon ? 1 : 0;
	if (n == 0 || word == end || strchr("-=+?", *word) == NULL || depth >= MAX_DEPTH) {
		miss(x, p - 2, (size_t)(end + 1 - (p - 2)), "write its value in its place");
		return;
	}
	found = find(x->v, name, n);
	has = found != NULL && (!colon || *found->value != '\0');
	if (*word == '+') {
		if (found != NULL)
			basis_append(x->basis, &found->basis);
		if (has)
			expand(x, word + 1, end, quoted, depth + 1);
	} else if (has) {
		put_variable(x, name, n, quoted);
	} else if (*word == '-') {
		expand(x, word + 1, end, quoted, depth + 1);
	} else if (*word == '=') {
		put_default(x, name, n, word + 1, end, quoted);
	} else {
		miss_variable(x, name, n);
	}
}

/* Expands what begins with "$" and returns its end. */
static const char *put_dollar(
    struct expander *x, const char *p, const char *end, bool quoted, unsigned depth)
{
	const char *behind = NULL;
	size_t n;

	if (end - p > 1 && (p[1] == '(' || p[1] == '{')) {
		behind = shell_skip(p + 2, end, p[1] == '(' ? ')' : '}', quoted);
		if (behind == NULL) {
			miss(x, p, (size_t)(end - p), "it has no end");
			return end;
		}
		if (p[1] == '{')
			put_braces(x, p + 2, behind - 1, quoted, depth);
		else
			miss(x, p, (size_t)(behind - p), "write what it prints in its place");
		return behind;
	}
	n = shell_name_length(p + 1, (size_t)(end - p - 1));
	if (n == 0 && end - p > 1 && strchr("0123456789@*#?$!-", p[1]) != NULL)
		n = 1;
	if (n > 0)
		put_variable(x, p + 1, n, quoted);
	else
		put(x, "$", 1);
	return p + 1 + n;
}

/* Reads what stands behind a backslash and returns its end. */
static const char *put_escaped(struct expander *x, const char *p, const char *end, bool quoted)
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

static void expand(struct expander *x, const char *p, const char *end, bool quoted, unsigned depth)
{
	while (p < end && !x->v->too_long) {
		if (*p == '\\') {
			p = put_escaped(x, p, end, quoted);
		} else if (*p == '\'' && !quoted) {
			const char *close = memchr(p + 1, '\'', (size_t)(end - p - 1));

			close = close == NULL ? end : close;
			put(x, p + 1, (size_t)(close - p - 1));
			p = close + (close < end ? 1 : 0);
		} else if (*p == '"' && !x->is_here) {
			quoted = !quoted;
			x->has_field = true;
			p++;
		} else if (*p == '$') {
			p = put_dollar(x, p, end, quoted, depth);
		} else if (*p == '`') {
			const char *close = shell_skip(p + 1, end, '`', false);

			close = close == NULL ? end : close;
			miss(x, p, (size_t)(close - p), "write what it prints in its place");
			p = close;
		} else if (depth > 0 && !quoted && x->splits && strchr(" \t\n", *p) != NULL) {
			end_field(x); /* in ${NAME:-a b} */
			p++;
		} else {
			put(x, p++, 1);
		}
	}
}

/* Notes that a "~" stands for a home directory, which the text does not tell. */
static const char *skip_tilde(struct expander *x, const char *p, const char *end)
{
	if (p == end || *p != '~')
		return p;
	miss(x, p,
	    strcspn(p, " \t\n/") < (size_t)(end - p) ? strcspn(p, " \t\n/") : (size_t)(end - p),
	    "write the path of the home directory in its place");
	return p + 1;
}

void shell_expand(struct shell_values *v, const struct shell_word *word, struct words *out,
    struct shell_basis *basis)
{
	struct expander x = { v, basis, word->line, true, false, out, { 0 }, false };
	const char *end = word->text + word->length;

	expand(&x, skip_tilde(&x, word->text, end), end, false, 0);
	end_field(&x);
	str_free(&x.field);
}

char *shell_expand_one(
    struct shell_values *v, const struct shell_word *word, struct shell_basis *basis)
{
	struct expander x = { v, basis, word->line, false, false, NULL, { 0 }, false };
	const char *end = word->text + word->length;

	expand(&x, skip_tilde(&x, word->text, end), end, false, 0);
	return str_take(&x.field);
}

char *shell_expand_here(
    struct shell_values *v, const struct shell_redirect *here, struct shell_basis *basis)
{
	const struct shell_word *body = &here->target;
	struct expander x = { v, basis, body->line, false, true, NULL, { 0 }, false };
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
		expand(&x, body->text, body->text + body->length, true, 0);
	text = str_take(&x.field);
	if (here->has_tabs) {
		char *whole = text;

		text = shell_without_tabs(whole);
		free(whole);
	}
	return text;
}

size_t shell_assignment(const struct shell_word *word)
{
	size_t n = shell_name_length(word->text, word->length);

	if (n == 0 || n == word->length)
		return 0;
	if (word->text[n] == '=' ||
	    (word->text[n] == '+' && word->length > n + 1 && word->text[n + 1] == '='))
		return n;
	return 0;
}

/* Notes that a variable has another value before, which a shell may keep. */
static void note_branch(struct shell_values *v, const struct shell_variable *before,
    const struct shell_word *word, const char *value, struct shell_basis *basis)
{
	STR_AUTO struct str used = { 0 }, other = { 0 };
	STR_AUTO struct str note = { 0 };

	str_add_line(&used, value, MAX_SHOWN);
	str_add_line(&other, before->value, MAX_SHOWN);
	str_addf(&note,
	    "%s:%zu: $%s: the import uses \"%s\" of this line, which stands in a branch, "
	    "and not \"%s\" of line %zu: remove the line that does not apply",
	    v->text_name, word->line, before->name, used.text == NULL ? "" : used.text,
	    other.text == NULL ? "" : other.text, before->line);
	basis_append(basis, &before->basis);
	add_once(&basis->note, note.text);
}

/* Notes that a branch may set a variable to a value that the text does not tell. */
static void note_kept(
    struct shell_values *v, struct shell_variable *before, const struct shell_word *word)
{
	STR_AUTO struct str kept = { 0 };
	STR_AUTO struct str note = { 0 };

	str_add_line(&kept, before->value, MAX_SHOWN);
	str_addf(&note,
	    "%s:%zu: $%s: the import uses \"%s\" of line %zu, because the value that this "
	    "line may set is not in the text: change line %zu if it does not apply",
	    v->text_name, word->line, before->name, kept.text == NULL ? "" : kept.text,
	    before->line, before->line);
	add_once(&before->basis.note, note.text);
}

void shell_assign(struct shell_values *v, const struct shell_word *word, bool in_branch)
{
	size_t n = shell_assignment(word), begin = n + (word->text[n] == '+' ? 2 : 1);
	const struct shell_word rest = { word->text + begin, word->length - begin, word->line };
	struct shell_basis basis = { 0 };
	MEM_AUTO char *added = shell_expand_one(v, &rest, &basis);
	struct shell_variable *before = find(v, word->text, n);
	char *value;

	if (word->text[n] == '+' && before != NULL) {
		basis_append(&basis, &before->basis);
		value = mem_format("%s%s", before->value, added);
	} else {
		value = mem_copy(added);
	}
	if (in_branch && before != NULL && basis.missing.count > 0 &&
	    before->basis.missing.count == 0) {
		note_kept(v, before, word);
		shell_basis_free(&basis);
		free(value);
		return;
	}
	if (in_branch && before != NULL && strcmp(before->value, value) != 0)
		note_branch(v, before, word, value, &basis);
	set_value(v, word->text, n, word->line, &basis, value);
}

void shell_note(struct shell_values *v, const char *name, size_t n, const char *note)
{
	struct shell_variable *found = find(v, name, n);

	if (found != NULL)
		add_once(&found->basis.note, note);
}

void shell_unset(struct shell_values *v, const char *name)
{
	struct shell_variable *found = find(v, name, strlen(name));

	if (found == NULL)
		return;
	free(found->name);
	free(found->value);
	shell_basis_free(&found->basis);
	*found = v->item[--v->count];
}

const struct shell_variable *shell_value(const struct shell_values *v, const char *name)
{
	return find(v, name, strlen(name));
}

void shell_basis_free(struct shell_basis *basis)
{
	words_free(&basis->missing);
	words_free(&basis->problem);
	words_free(&basis->note);
}

void shell_values_free(struct shell_values *v)
{
	for (size_t i = 0; i < v->count; i++) {
		free(v->item[i].name);
		free(v->item[i].value);
		shell_basis_free(&v->item[i].basis);
	}
	free(v->item);
	v->item = NULL;
	v->count = 0;
	v->expanded = 0;
}
