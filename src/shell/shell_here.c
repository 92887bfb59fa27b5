/* Where quotes, substitutions and here-documents of a shell end. */
#include <string.h>

#include "base/str.h"
#include "shell/shell_reader.h"

#define MAX_CASE 256 /* bytes of "case WORD in" */

/* What encloses a piece of the text. */
struct enclosed {
	char close;
	bool quoted;	/* it stands in "" */
	bool has_cases; /* the ")" behind a pattern of "case" does not close it */
	unsigned depth;
};

/* Returns whether a word of four bytes stands here, where a command may begin. */
static bool at_word(const char *p, const char *end, const char *word)
{
	return end - p > 4 && memcmp(p, word, 4) == 0 && strchr(" \t\n;&|(", p[-1]) != NULL &&
	    strchr(" \t\n;&|)", p[4]) != NULL;
}

/* Returns how many of "case WORD in" are open behind p, if `open` are before it. */
static size_t count_cases(const char *p, const char *end, size_t open)
{
	if (open > 0 && at_word(p, end, "esac"))
		return open - 1;
	if (!at_word(p, end, "case"))
		return open;
	end = end - p > MAX_CASE ? p + MAX_CASE : end;
	for (p += 4; end - p > 3 && *p != '\n'; p++) {
		if (memcmp(p, " in", 3) == 0 && strchr(" \t\n", p[3]) != NULL)
			return open + 1;
	}
	return open;
}

/* Returns the end of an enclosed piece, "" inside "$()" and so on; NULL: it has none. */
static const char *skip(const char *p, const char *end, struct enclosed e)
{
	struct enclosed inner = { .has_cases = e.has_cases, .depth = e.depth + 1 };
	size_t cases = 0;

	if (e.depth > SHELL_MAX_DEPTH)
		return NULL;
	while (p != NULL && p < end) {
		char c = *p++;

		if (c == e.close && cases == 0)
			return p;
		if (e.close == '\'')
			continue;
		inner.close = c;
		inner.quoted = c == '"';
		if (c == '\\' && p < end) {
			p++;
		} else if (e.close == '`') {
			continue;
		} else if (c == '"' || c == '`' || (c == '\'' && !e.quoted)) {
			p = skip(p, end, inner);
		} else if (c == '$' && p < end && *p == '{') {
			inner.close = '}';
			inner.quoted = e.quoted;
			p = skip(p + 1, end, inner);
		} else if ((c == '$' && p < end && *p == '(') || (c == '(' && e.close == ')')) {
			inner.close = ')';
			p = skip(c == '$' ? p + 1 : p, end, inner);
		} else if (e.has_cases && e.close == ')') {
			cases = count_cases(p - 1, end, cases);
		}
	}
	return NULL;
}

const char *shell_skip(const char *p, const char *end, char close, bool quoted)
{
	struct enclosed e = { close, quoted && close != ')', true, 0 };
	const char *behind = skip(p, end, e);

	e.has_cases = false; /* for a text that only looks like "case" */
	return behind == NULL ? skip(p, end, e) : behind;
}

/* Returns whether the line is the end of a here-document. */
static bool is_here_end(const char *line, size_t n, const struct shell_redirect *here)
{
	const struct shell_word *end = &here->target;
	size_t i = 0;

	while (here->has_tabs && n > 0 && *line == '\t') {
		line++;
		n--;
	}
	for (size_t k = 0; k < end->length; k++) {
		if (strchr("'\"\\", end->text[k]) != NULL)
			continue;
		if (i >= n || line[i++] != end->text[k])
			return false;
	}
	return i == n;
}

/* Reads the text of a here-document, which begins at r->p; without an end it is all the rest. */
static void read_here(struct shell_reader *r, struct shell_redirect *here)
{
	struct shell_word body = { .text = r->p, .line = shell_reader_line(r, r->p) };

	body.length = (size_t)(r->end - r->p);
	while (r->p < r->end) {
		const char *line = r->p;

		shell_reader_skip_line(r);
		if (is_here_end(line, (size_t)(r->p - line), here)) {
			body.length = (size_t)(line - body.text);
			r->p += r->p < r->end ? 1 : 0;
			break;
		}
		r->p += r->p < r->end ? 1 : 0;
	}
	here->is_literal = memchr(here->target.text, '\'', here->target.length) != NULL ||
	    memchr(here->target.text, '"', here->target.length) != NULL ||
	    memchr(here->target.text, '\\', here->target.length) != NULL;
	here->target = body;
}

void shell_reader_here(struct shell_reader *r)
{
	for (; r->pending < r->out->redirects; r->pending++) {
		struct shell_redirect *here = &r->out->redirect[r->pending];

		if (here->kind == SHELL_HERE && !here->is_string)
			read_here(r, here);
	}
}

char *shell_without_tabs(const char *text)
{
	struct str s = { 0 };

	while (*text != '\0') {
		size_t n;

		text += strspn(text, "\t");
		n = strcspn(text, "\n");
		n += text[n] == '\n' ? 1 : 0;
		str_add_n(&s, text, n);
		text += n;
	}
	return str_take(&s);
}
