/* Cuts a stream into lines, and long lines into pieces. */
#include "process/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

size_t lines_add(struct lines *l, const char *bytes, size_t n)
{
	size_t room = MAX_OUTPUT_LINE - l->length;

	if (n > room)
		n = room;
	if (l->text == NULL)
		l->text = mem_resize(NULL, MAX_OUTPUT_LINE + 1, 1);
	for (size_t i = 0; i < n; i++) /* a line is a string */
		l->text[l->length + i] = bytes[i] == '\0' ? '?' : bytes[i];
	l->length += n;
	return n;
}

static void drop(struct lines *l, size_t n)
{
	l->length -= n;
	memmove(l->text, l->text + n, l->length);
}

static void release(struct lines *l)
{
	free(l->text);
	l->text = NULL;
}

const char *lines_next(struct lines *l)
{
	char *end;

	if (l->returned > 0) {
		drop(l, l->returned);
		l->returned = 0;
	}
	if (l->length == 0) {
		release(l);
		return NULL;
	}
	if (l->was_cut) {
		/* The end of a line of exactly MAX_OUTPUT_LINE bytes, which was returned. */
		if (l->text[0] == '\n')
			drop(l, 1);
		l->was_cut = false;
	}
	end = memchr(l->text, '\n', l->length);
	if (end == NULL) {
		if (l->length < MAX_OUTPUT_LINE)
			return NULL;
		l->text[l->length] = '\0';
		l->returned = l->length;
		l->was_cut = true;
		return l->text;
	}
	l->returned = (size_t)(end - l->text) + 1;
	*end = '\0';
	if (end > l->text && end[-1] == '\r')
		end[-1] = '\0';
	return l->text;
}

const char *lines_rest(struct lines *l)
{
	if (l->returned > 0)
		drop(l, l->returned);
	l->returned = 0;
	if (l->length == 0) {
		release(l);
		return NULL;
	}
	l->text[l->length] = '\0';
	l->length = 0;
	l->was_cut = false;
	return l->text;
}

void lines_clear(struct lines *l)
{
	l->length = l->returned = 0;
	l->was_cut = false;
	release(l);
}
