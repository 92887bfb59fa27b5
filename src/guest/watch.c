/* Looks for texts and patterns in the output of the console. */
#include "guest/watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pattern.h"
#include "base/search.h"
#include "base/str.h"

#define WATCH_PIECE 4096 /* bytes that are copied out of the ring at once */
#define LINE_COST 64	 /* bytes whose match takes as long as the beginning of one */

/* What is looked for: a text, or a pattern. */
struct target {
	struct search text; /* not begun for a pattern */
	struct pattern *pattern;
};

/* A text that ends where the piece that was read ends. */
struct candidate {
	size_t target;
	uint64_t start;
};

struct watch {
	struct target *targets;
	size_t count, patterns;
	uint64_t at;
	uint64_t line_start;
	char line[MAX_PATTERN_LINE]; /* the first bytes of the line at `at` */
	size_t length;		     /* of those */
	size_t returns;		     /* CRs behind them, which belong to the line if more comes */
	bool torn;		     /* the line's beginning was overwritten */
	bool has_line;		     /* a line is complete: `matched` patterns were tried */
	size_t matched;
	bool has_text; /* a text ends with that line */
	struct candidate text;
};

/* Begins a line at this byte, and every search anew. */
static void begin_anew(struct watch *w, uint64_t at)
{
	w->at = w->line_start = at;
	w->length = w->returns = w->matched = 0;
	w->torn = w->has_line = w->has_text = false;
	for (size_t i = 0; i < w->count; i++)
		search_restart(&w->targets[i].text);
}

/* Reads {text=...} or {regex=...}. */
static int read_target(struct target *t, const struct node *n, struct error *err)
{
	const struct node *text = node_get(n, "text"), *regex = node_get(n, "regex");

	if (regex != NULL && regex->kind == NODE_STRING)
		return pattern_compile(&t->pattern, regex->text, regex->length, err);
	if (text == NULL || text->kind != NODE_STRING)
		return error_set(err, STATUS_USAGE, "expected a text or a regular expression");
	if (text->length == 0)
		return error_set(err, STATUS_USAGE, "empty text: expected at least one byte");
	if (text->length > MAX_WATCH_TEXT)
		return error_set(err, STATUS_USAGE,
		    "a text of %zu bytes: expected at most " STR_LITERAL(MAX_WATCH_TEXT),
		    text->length);
	search_begin(&t->text, text->text, text->length);
	return 0;
}

/* Reads all targets; an error names the number of its target if there are several. */
static int read_targets(struct watch *w, const struct node *patterns, struct error *err)
{
	for (const struct node *n = patterns->first; n != NULL; n = n->next) {
		if (read_target(&w->targets[w->count++], n, err) != 0)
			return patterns->count > 1 ? error_prefix(err, "number %zu", w->count) : -1;
		if (w->targets[w->count - 1].pattern != NULL)
			w->patterns++;
	}
	return 0;
}

int watch_new(struct watch **out, const struct node *patterns, uint64_t at, struct error *err)
{
	struct watch *w;

	if (patterns->count == 0 || patterns->count > MAX_WATCH_PATTERNS)
		return error_set(err, STATUS_USAGE,
		    "a list of %zu texts: expected 1 to " STR_LITERAL(MAX_WATCH_PATTERNS),
		    patterns->count);
	w = mem_zero(sizeof(*w));
	w->targets = mem_zero(patterns->count * sizeof(*w->targets));
	if (read_targets(w, patterns, err) != 0) {
		watch_free(w);
		return -1;
	}
	begin_anew(w, at);
	*out = w;
	return 0;
}

/* Continues at the oldest byte of the ring if the bytes before it are lost. */
static void skip_lost(struct watch *w, const struct console *c)
{
	uint64_t oldest = c->total - c->ring_length;

	if (w->at >= oldest || w->has_line)
		return;
	begin_anew(w, oldest);
	w->torn = true;
}

/* Returns whether a text that ends at the same byte as another wins. */
static bool wins(const struct candidate *a, const struct candidate *b)
{
	return a->start < b->start || (a->start == b->start && a->target < b->target);
}

/*
 * Searches the texts in n bytes.  Returns how many of them end with the first text that is found,
 * which is w->text then, or n.
 */
static size_t search_texts(struct watch *w, const char *bytes, size_t n)
{
	for (size_t i = 0; i < w->count; i++) {
		struct search *s = &w->targets[i].text;
		struct candidate found = { .target = i };
		size_t used = s->text == NULL ? 0 : search_bytes(s, bytes, n);

		if (used == 0)
			continue;
		found.start = w->at + used - s->length;
		if (!w->has_text || used < n || wins(&found, &w->text))
			w->text = found;
		w->has_text = true;
		n = used;
	}
	return n;
}

/* Adds bytes to the line, up to its limit. */
static void add_to_line(struct watch *w, const char *bytes, size_t n)
{
	size_t room = sizeof(w->line) - w->length;

	if (n > room)
		n = room;
	memcpy(w->line + w->length, bytes, n);
	w->length += n;
}

/* Adds bytes of the line without its LF; CRs at both of its ends are left out. */
static void read_line(struct watch *w, const char *bytes, size_t n)
{
	size_t end = n;

	if (w->length == 0) {
		while (n > 0 && *bytes == '\r') {
			bytes++;
			n--;
		}
		end = n;
	}
	while (end > 0 && bytes[end - 1] == '\r')
		end--;
	if (end > 0) {
		for (; w->returns > 0 && w->length < sizeof(w->line); w->returns--)
			add_to_line(w, "\r", 1);
		w->returns = 0;
		add_to_line(w, bytes, end);
	}
	w->returns += n - end;
}

/* Reads bytes up to the first text or line end among them; returns how many. */
static size_t read_piece(struct watch *w, const char *bytes, size_t n)
{
	const char *end = w->patterns > 0 ? memchr(bytes, '\n', n) : NULL;

	if (end != NULL)
		n = (size_t)(end - bytes) + 1;
	n = search_texts(w, bytes, n);
	if (w->patterns > 0) {
		w->has_line = bytes[n - 1] == '\n';
		read_line(w, bytes, n - w->has_line);
	}
	return n;
}

/* Fills *found with the text that was found. */
static enum watch_state found_text(struct watch *w, struct watch_found *found)
{
	const struct search *s = &w->targets[w->text.target].text;

	found->index = w->text.target + 1;
	found->text = node_string_n(s->text, s->length);
	begin_anew(w, w->at);
	return WATCH_FOUND;
}

/* Returns whether a text that ends with the line wins over this pattern. */
static bool text_wins(const struct watch *w, size_t target)
{
	const struct candidate line = { target, w->line_start };

	return w->has_text && wins(&w->text, &line);
}

/*
 * Matches the patterns with the complete line, and takes what that costs out of *budget.  Returns
 * WATCH_BEHIND if that is used up, WATCH_WAITS if nothing is found.
 */
static enum watch_state match_line(struct watch *w, size_t *budget, struct watch_found *found)
{
	for (; w->matched < w->count && !w->torn; w->matched++) {
		const struct pattern *p = w->targets[w->matched].pattern;

		if (p == NULL)
			continue;
		if (text_wins(w, w->matched))
			break;
		if (*budget == 0)
			return WATCH_BEHIND;
		*budget -= *budget < w->length + LINE_COST ? *budget : w->length + LINE_COST;
		if (pattern_match(p, w->line, w->length, &found->groups)) {
			found->index = w->matched + 1;
			begin_anew(w, w->at);
			return WATCH_FOUND;
		}
	}
	if (w->has_text)
		return found_text(w, found);
	w->line_start = w->at;
	w->length = w->returns = w->matched = 0;
	w->torn = w->has_line = false;
	return WATCH_WAITS;
}

enum watch_state watch_look(struct watch *w, const struct console *c, struct watch_found *found)
{
	size_t budget = MAX_PATTERN_LINE, n, used;
	char bytes[WATCH_PIECE];
	enum watch_state state;

	memset(found, 0, sizeof(*found));
	for (;;) {
		if (w->has_line && (state = match_line(w, &budget, found)) != WATCH_WAITS)
			return state;
		skip_lost(w, c);
		n = console_copy(c, w->at, bytes, sizeof(bytes));
		if (n == 0)
			return WATCH_WAITS;
		for (size_t i = 0; i < n; i += used) {
			used = read_piece(w, bytes + i, n - i);
			w->at += used;
			if (!w->has_line && w->has_text)
				return found_text(w, found);
			if (w->has_line && (state = match_line(w, &budget, found)) != WATCH_WAITS)
				return state;
		}
	}
}

uint64_t watch_at(const struct watch *w)
{
	return w->at;
}

void watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->count; i++) {
		search_free(&w->targets[i].text);
		pattern_free(w->targets[i].pattern);
	}
	free(w->targets);
	free(w);
}

void watch_found_free(struct watch_found *found)
{
	node_free(found->text);
	node_free(found->groups);
	memset(found, 0, sizeof(*found));
}
