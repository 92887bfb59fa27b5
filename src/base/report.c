/* Many problems at once. */
#include "base/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_PROBLEM_LINE 1024 /* bytes; of a longer line the middle is left out */

static struct problem *add(struct report *r, enum status status)
{
	struct problem *p;

	r->item = mem_grow(r->item, r->count, sizeof(*r->item));
	p = &r->item[r->count++];
	memset(p, 0, sizeof(*p));
	if (r->status == STATUS_OK)
		r->status = status;
	return p;
}

/* Moves a place in a text back to the start of its character of UTF-8. */
static size_t character_start(const char *text, size_t at)
{
	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* Adds a line, without the middle of a very long one. */
static void add_line(struct str *s, const char *line, size_t n)
{
	size_t head, tail;

	if (n <= MAX_PROBLEM_LINE) {
		str_add_n(s, line, n);
		return;
	}
	head = character_start(line, MAX_PROBLEM_LINE / 4);
	tail = character_start(line, n - MAX_PROBLEM_LINE / 4);
	str_add_n(s, line, head);
	str_add(s, "...");
	str_add_n(s, line + tail, n - tail);
}

/*
 * Takes a text and returns it with its long lines cut: a message may repeat a key or a value of the
 * spec, which can have megabytes.
 */
static char *cut_lines(char *text)
{
	MEM_AUTO char *whole = text;
	struct str s = { 0 };

	if (strlen(text) <= MAX_PROBLEM_LINE) {
		whole = NULL;
		return text;
	}
	for (const char *line = text; *line != '\0';) {
		size_t n = strcspn(line, "\n");

		add_line(&s, line, n);
		line += n;
		if (*line == '\n') {
			str_add(&s, "\n");
			line++;
		}
	}
	return str_take(&s);
}

/* Adds a problem and takes its text. */
static void add_text(struct report *r, enum status status, const struct where *at, char *text)
{
	struct problem *p = add(r, status);

	if (at != NULL) {
		p->keys = where_keys(at);
		p->path = where_path(at);
	}
	p->text = cut_lines(text);
}

void report_add(struct report *r, enum status status, const struct where *at, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vformat(fmt, ap);
	va_end(ap);
	/* A newline of a value would make the rest of it look like another message. */
	for (char *p = text; (p = strpbrk(p, "\r\n")) != NULL;)
		*p = '?';
	add_text(r, status, at, text);
}

void report_take(struct report *r, const struct where *at, struct error *err)
{
	add_text(r, err->status, at, mem_copy(err->text));
	error_clear(err);
}

static void free_problem(struct problem *p)
{
	free(p->place);
	free(p->path);
	free(p->text);
	node_free(p->keys);
}

void report_cut(struct report *r, size_t first)
{
	while (r->count > first + MAX_REPORT_PROBLEMS) {
		free_problem(&r->item[--r->count]);
		r->more++;
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool report_has(const struct report *r, const struct problem *p)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct problem *q = &r->item[i];

		if (same_text(q->place, p->place) && same_text(q->path, p->path) &&
		    same_text(q->text, p->text))
			return true;
	}
	return false;
}

void report_merge(struct report *r, struct report *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct problem *p = &from->item[i];

		if (report_has(r, p))
			continue;
		*add(r, from->status) = *p;
		memset(p, 0, sizeof(*p));
		report_cut(r, 0);
	}
	r->more += from->more;
	report_free(from);
}

static bool stands_after(const struct problem *a, const struct problem *b)
{
	return a->line > b->line || (a->line == b->line && a->column > b->column);
}

void report_sort(struct report *r)
{
	/* Insertion keeps the order of equals; they are few, and nearly sorted. */
	for (size_t i = 1; i < r->count; i++) {
		struct problem p = r->item[i];
		size_t j = i;

		for (; j > 0 && stands_after(&r->item[j - 1], &p); j--)
			r->item[j] = r->item[j - 1];
		r->item[j] = p;
	}
}

char *report_text(const struct report *r)
{
	struct str s = { 0 };

	for (size_t i = 0; i < r->count; i++) {
		const struct problem *p = &r->item[i];

		str_addf(&s, "%s%s%s%s%s%s", i > 0 ? "\n" : "", p->place == NULL ? "" : p->place,
		    p->place == NULL ? "" : ": ", p->path == NULL ? "" : p->path,
		    p->path == NULL ? "" : ": ", p->text);
	}
	return str_take(&s);
}

void report_free(struct report *r)
{
	for (size_t i = 0; i < r->count; i++)
		free_problem(&r->item[i]);
	free(r->item);
	memset(r, 0, sizeof(*r));
}
