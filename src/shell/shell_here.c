/* Here-documents of a shell. */
#include <string.h>

#include "base/str.h"
#include "shell/shell_reader.h"

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
