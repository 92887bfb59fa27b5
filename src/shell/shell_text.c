/* Splits a text into the commands and words of a shell. */
#include "shell/shell_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/find.h"
#include "shell/shell_reader.h"

#define MAX_PROMPT 100 /* bytes of "root@host:/vm # " */
#define MAX_ARRAY 8192 /* bytes between "(" and ")" */
#define MAX_FAULTS 100 /* lines that are left out of prose with a word */

size_t shell_name_length(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n &&
	    (isalpha((unsigned char)text[i]) || text[i] == '_' ||
		(i > 0 && isdigit((unsigned char)text[i]))))
		i++;
	return i;
}

bool shell_is(const struct shell_word *word, const char *text)
{
	return word->length == strlen(text) && memcmp(word->text, text, word->length) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t shell_reader_line(struct shell_reader *r, const char *place)
{
	for (; r->counted < place; r->counted++)
		r->line += *r->counted == '\n' ? 1 : 0;
	return r->line;
}

void shell_reader_skip_line(struct shell_reader *r)
{
	const char *newline = memchr(r->p, '\n', (size_t)(r->end - r->p));

	r->p = newline == NULL ? r->end : newline;
}

static bool is_at_line_start(const struct shell_reader *r)
{
	return r->p == r->out->text || r->p[-1] == '\n';
}

/*
 * Returns whether a "#" is the end of a prompt, because a command with bhyve, or cd, is behind it.
 * Only the start of a line is looked at, so that a line of many "#" is not searched for each.
 */
static bool is_prompt(const struct shell_reader *r)
{
	const char *newline = memchr(r->p, '\n', (size_t)(r->end - r->p));
	size_t before = 0, n = (size_t)((newline == NULL ? r->end : newline) - r->p);

	while (before < MAX_PROMPT && r->p - before > r->out->text &&
	    r->p[-1 - (ptrdiff_t)before] != '\n')
		before++;
	return (r->style == SHELL_ROOT_PROMPTS || r->style == SHELL_PROSE_PROMPTS) &&
	    before < MAX_PROMPT &&
	    (find_text(r->p, n, "bhyve") != NULL || (n > 5 && memcmp(r->p, "# cd ", 5) == 0));
}

/* Skips blanks, joined lines, and the ">" with which a shell asks for the rest of a command. */
static void skip_blanks(struct shell_reader *r)
{
	while (r->p < r->end) {
		if (is_blank(*r->p)) {
			r->p++;
		} else if (r->end - r->p > 1 && r->p[0] == '\\' && r->p[1] == '\n') {
			r->p += 2;
			if (r->end - r->p > 2 && memcmp(r->p, "> -", 3) == 0)
				r->p++;
		} else if (*r->p == '#' && !is_prompt(r)) {
			shell_reader_skip_line(r);
		} else {
			return;
		}
	}
}

static struct shell_command *command(struct shell_reader *r)
{
	return &r->out->command[r->out->commands];
}

static void begin_command(struct shell_reader *r)
{
	r->out->command = mem_grow(r->out->command, r->out->commands, sizeof(*r->out->command));
	*command(r) = (struct shell_command){
		.word = r->out->words,
		.redirect = r->out->redirects,
		.line = shell_reader_line(r, r->p),
	};
}

/* Notes whether the command is one of "case", or its end. */
static void read_case(struct shell_reader *r, const struct shell_command *c)
{
	const struct shell_word *word = r->out->word + c->word;

	if (c->words > 0 && shell_is(word, "esac"))
		r->in_case = false;
	for (size_t i = 0; i + 2 < c->words && !r->in_case; i++)
		r->in_case = shell_is(&word[i], "case") && shell_is(&word[i + 2], "in");
}

/* Counts the subshells that are open behind an operator. */
static void count_subshells(struct shell_reader *r, const char *operator, size_t n)
{
	if (n == 2 && *operator== ';') {
		r->in_case = true;
	} else if (n == 1 && *operator== '(' && !r->in_case) {
		r->depth++;
	} else if (n == 1 && *operator== ')') {
		if (!r->in_case && r->depth > 0)
			r->depth--;
		r->in_case = false;
		if (r->low > r->depth)
			r->low = r->depth;
	}
}

/* Ends a command at an operator; one without words and redirections is dropped. */
static void end_command(struct shell_reader *r, const char *operator, size_t n)
{
	struct shell_command *c = command(r);
	size_t before;
	bool is_first = n == 1 && *operator== '(';

	c->words = r->out->words - c->word;
	c->redirects = r->out->redirects - c->redirect;
	c->last_line = shell_reader_line(r, operator);
	if (n == 0)
		(void)memcpy(c->end, "\n", 2);
	else
		(void)memcpy(c->end, operator, n);
	if (c->words > 0 || c->redirects > 0) {
		read_case(r, c);
		c->depth = r->depth;
		c->low = r->low;
		c->is_pattern = r->in_case && strcmp(c->end, ")") == 0;
		r->low = r->depth;
		r->out->commands++;
		shell_compounds_read(&r->compounds, r->out);
	} else if (r->out->commands > 0 && strcmp(c->end, ";&") == 0) {
		(void)memcpy(c[-1].end, c->end, 3);
	} else if (r->out->commands > 0 && strcmp(c[-1].end, ")") == 0) {
		if (strcmp(c->end, "|") == 0)
			(void)memcpy(c[-1].end, ")|", 3);
		else if (strcmp(c->end, "&&") == 0 || strcmp(c->end, "||") == 0)
			(void)memcpy(c[-1].end, c->end, 3);
	}
	before = r->depth;
	count_subshells(r, operator, n);
	shell_compounds_operator(&r->compounds, r->out, operator, n, (int)r->depth - (int)before);
	is_first = is_first || (c->words == 0 && c->redirects == 0 && c->is_first);
	begin_command(r);
	command(r)->is_first = is_first;
}

static int fail(struct shell_reader *r, size_t line, const char *what)
{
	r->failed = true;
	r->fault = r->p;
	return error_set(r->err, STATUS_SPEC,
	    "%zu: unterminated %s, or more than " STR_LITERAL(
		SHELL_MAX_DEPTH) " of them in each other: "
				 "close it, or pass the bhyve command alone",
	    line, what);
}

/* Returns what an opening is called in messages. */
static const char *opening_name(char close)
{
	switch (close) {
	case '\'':
		return "quote '";
	case '"':
		return "quote \"";
	case '`':
		return "command substitution `";
	case ')':
		return "command substitution $(";
	default:
		return "expansion ${";
	}
}

static bool is_prose(const struct shell_reader *r)
{
	return r->style == SHELL_PROSE || r->style == SHELL_PROSE_PROMPTS;
}

/* Returns the end of an array, NAME=(a b): r->p is at its "("; NULL: it is none. */
static const char *array_end(const struct shell_reader *r, const char *word)
{
	const char *end = r->end - r->p > MAX_ARRAY ? r->p + MAX_ARRAY : r->end;
	size_t n = shell_name_length(word, (size_t)(r->p - word));

	if (n == 0 || r->p[-1] != '=' || (size_t)(r->p - word) > n + 2 ||
	    (word[n] != '=' && word[n] != '+'))
		return NULL;
	for (const char *p = r->p + 1; p != NULL && p < end;) {
		char c = *p++;

		if (c == ')')
			return p;
		if (c == '#' && (is_blank(p[-2]) || p[-2] == '\n' || p[-2] == '('))
			p = memchr(p, '\n', (size_t)(end - p));
		else if (c == '\\')
			p += p < end ? 1 : 0;
		else if (c == '\'' || c == '"' || c == '`')
			p = shell_skip(p, end, c, c == '"');
		else if (c == '$' && p < end && (*p == '(' || *p == '{'))
			p = shell_skip(p + 1, end, *p == '(' ? ')' : '}', false);
		else if (c == '(')
			return NULL;
	}
	return NULL;
}

/* Reads the elements of an array, which are a part of its word. */
static void read_array(struct shell_reader *r, const char *word)
{
	const char *end = r->p < r->end && *r->p == '(' ? array_end(r, word) : NULL;

	r->p = end == NULL ? r->p : end;
}

/* Notes a "\" at the end of a line that joins nothing.  The word begins at `word`. */
static void note_break(struct shell_reader *r, const char *word)
{
	bool is_double = r->p == word && r->end - r->p > 1 && r->p[1] == '\\';
	const char *p = r->p + (is_double ? 2 : 1);

	if (command(r)->line_break != BREAK_NONE || (!is_double && (p == r->end || !is_blank(*p))))
		return;
	while (p < r->end && is_blank(*p))
		p++;
	if (p == r->end || *p != '\n')
		return;
	command(r)->line_break = is_double ? BREAK_DOUBLE : BREAK_BLANK;
	command(r)->break_line = shell_reader_line(r, r->p);
}

/* Reads one word; an empty one stands before an operator. */
static struct shell_word read_word(struct shell_reader *r)
{
	struct shell_word w = { .text = r->p, .line = shell_reader_line(r, r->p) };

	while (r->p < r->end && !is_blank(*r->p) && strchr("\n;&|()<>", *r->p) == NULL) {
		char c = *r->p, next = r->end - r->p > 1 ? r->p[1] : '\0', close = '\0';
		const char *behind = r->p + 1;

		if (c == '\\') {
			note_break(r, w.text);
			r->p += next == '\0' ? 1 : 2;
			continue;
		}
		if (c == '\'' && is_prose(r) && r->p > w.text && isalnum((unsigned char)r->p[-1]))
			command(r)->has_apostrophe = true; /* don't */
		else if (c == '\'' || c == '"' || c == '`')
			close = c;
		else if (c == '$' && (next == '(' || next == '{'))
			close = next == '(' ? ')' : '}';
		if (close == ')' || close == '}')
			behind++;
		if (close != '\0') {
			behind = shell_skip(behind, r->end, close, close == '"');
			if (behind == NULL) {
				(void)fail(r, shell_reader_line(r, r->p), opening_name(close));
				behind = r->end;
			}
		}
		r->p = behind;
	}
	read_array(r, w.text);
	w.length = (size_t)(r->p - w.text);
	return w;
}

/* Returns whether a redirection stands here, with its number or "&" in front. */
static bool at_redirect(const struct shell_reader *r)
{
	const char *p = r->p;

	while (p < r->end && isdigit((unsigned char)*p))
		p++;
	if (p == r->p && r->end - p > 1 && p[0] == '&' && p[1] == '>')
		p++;
	return p < r->end && (*p == '<' || *p == '>');
}

static void read_redirect(struct shell_reader *r)
{
	struct shell_redirect new = { .kind = SHELL_OUT };
	size_t n = 0;

	while (*r->p != '<' && *r->p != '>')
		r->p++;
	while (r->p + n < r->end && n < 3 && strchr("<>&|", r->p[n]) != NULL)
		n++;
	if (n >= 2 && r->p[n - 1] == '&')
		new.kind = SHELL_DUP;
	else if (n >= 2 && memcmp(r->p, "<<", 2) == 0)
		new.kind = SHELL_HERE;
	else if (*r->p == '<')
		new.kind = SHELL_IN;
	new.is_string = n == 3 && memcmp(r->p, "<<<", 3) == 0;
	r->p += n;
	if (new.kind == SHELL_HERE && !new.is_string && r->p < r->end && * r->p == '-') {
		new.has_tabs = true;
		r->p++;
	}
	while (r->p < r->end && is_blank(*r->p))
		r->p++;
	new.target = read_word(r);
	r->out->redirect = mem_grow(r->out->redirect, r->out->redirects, sizeof(*r->out->redirect));
	r->out->redirect[r->out->redirects++] = new;
}

/* Reads an operator, which ends a command. */
static void read_operator(struct shell_reader *r)
{
	const char *operator= r->p;
	size_t n = 1;

	if (r->end - r->p > 1 && r->p[1] == *r->p && strchr(";&|", *r->p) != NULL)
		n = 2;
	/* ";&" and ";;&" of bash: the next arm of a "case" may run, too. */
	if (*operator== ';' && r->end - r->p>(ptrdiff_t) n && r->p[n] == '&') {
		operator+= n - 1;
		r->p += n - 1;
		n = 2;
	}
	r->p += n;
	end_command(r, operator, n);
	if (*operator== '\n')
		shell_reader_here(r);
}

/* Skips a line that opens or closes a block of code in Markdown. */
static bool skip_fence(struct shell_reader *r)
{
	const char *p = r->p;

	if (!is_at_line_start(r))
		return false;
	while (p < r->end && is_blank(*p))
		p++;
	if (r->end - p < 3 || (memcmp(p, "```", 3) != 0 && memcmp(p, "~~~", 3) != 0))
		return false;
	shell_reader_skip_line(r);
	return true;
}

static void read_next(struct shell_reader *r)
{
	if (skip_fence(r))
		return;
	skip_blanks(r);
	if (r->p == r->end)
		return;
	if (at_redirect(r)) {
		read_redirect(r);
	} else if (strchr("\n;&|()", *r->p) != NULL) {
		read_operator(r);
	} else {
		if (command(r)->word == r->out->words)
			command(r)->line = shell_reader_line(r, r->p);
		r->out->word = mem_grow(r->out->word, r->out->words, sizeof(*r->out->word));
		r->out->word[r->out->words] = read_word(r);
		r->out->words++;
	}
}

/* Returns a copy of the text without the carriage returns at its line ends. */
static char *without_returns(const char *text, size_t *length)
{
	char *copy = mem_zero(*length + 1);
	size_t n = 0;

	for (size_t i = 0; i < *length; i++) {
		if (text[i] != '\r' || (i + 1 < *length && text[i + 1] != '\n'))
			copy[n++] = text[i];
	}
	*length = n;
	return copy;
}

/* Leaves out the command and the line of an opening without an end. */
static void skip_fault(struct shell_reader *r)
{
	if (r->out->faults.count < MAX_FAULTS)
		words_add(&r->out->faults, r->err->text);
	error_clear(r->err);
	r->failed = false;
	r->out->words = command(r)->word;
	r->out->redirects = command(r)->redirect;
	if (r->pending > r->out->redirects)
		r->pending = r->out->redirects;
	r->p = r->fault;
	shell_reader_skip_line(r);
	begin_command(r);
}

int shell_read(const char *text, size_t length, size_t line, enum shell_style style,
    struct shell_script *out, struct error *err)
{
	struct shell_reader r = { .out = out, .style = style, .line = line, .err = err };

	*out = (struct shell_script){ .length = length };
	out->text = without_returns(text, &out->length);
	out->word = mem_grow(NULL, 0, sizeof(*out->word));
	r.p = r.counted = out->text;
	r.end = r.p + out->length;
	shell_compounds_init(&r.compounds);
	begin_command(&r);
	while (r.p < r.end && !r.failed) {
		read_next(&r);
		if (r.failed && is_prose(&r))
			skip_fault(&r);
	}
	if (!r.failed)
		end_command(&r, r.end, 0);
	shell_compounds_count(out);
	shell_compounds_free(&r.compounds);
	return r.failed ? -1 : 0;
}

void shell_free(struct shell_script *script)
{
	free(script->text);
	free(script->word);
	free(script->redirect);
	free(script->command);
	words_free(&script->faults);
	*script = (struct shell_script){ 0 };
}
