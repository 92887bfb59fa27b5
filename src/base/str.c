/* A string that grows, and its ways of quoting. */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/eight.h"
#include "base/mem.h"

#define LEAST_ROOM 64 /* bytes: most texts need no more, so that they are allocated once */

/* Makes room for n more bytes and the NUL behind them. */
static void make_room(struct str *s, size_t n)
{
	if (s->room - s->length > n)
		return;
	s->room = s->length + n < LEAST_ROOM / 2 ? LEAST_ROOM : (s->length + n + 1) * 2;
	s->text = mem_resize(s->text, s->room, 1);
}

void str_add_n(struct str *s, const char *bytes, size_t n)
{
	make_room(s, n);
	if (n > 0)
		memcpy(s->text + s->length, bytes, n);
	s->length += n;
	s->text[s->length] = '\0';
}

void str_add_char(struct str *s, char c)
{
	make_room(s, 1);
	s->text[s->length++] = c;
	s->text[s->length] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_add_n(s, text, strlen(text));
}

void str_add_int(struct str *s, int64_t number)
{
	char text[24], *at = text + sizeof(text);
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (number < 0)
		*--at = '-';
	str_add_n(s, at, (size_t)(text + sizeof(text) - at));
}

void str_add_seconds(struct str *s, int64_t ms)
{
	int64_t tenths = (ms + 50) / 100;

	str_add_int(s, tenths / 10);
	str_add_char(s, '.');
	str_add_int(s, tenths % 10);
	str_add(s, " s");
}

void str_addf(struct str *s, const char *fmt, ...)
{
	MEM_AUTO char *text = NULL;
	size_t room;
	va_list ap;
	int n;

	make_room(s, 1);
	room = s->room - s->length;
	va_start(ap, fmt);
	n = vsnprintf(s->text + s->length, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room) {
		s->length += (size_t)n;
		return;
	}
	s->text[s->length] = '\0';
	va_start(ap, fmt);
	text = mem_vformat(fmt, ap);
	va_end(ap);
	str_add(s, text);
}

/* Adds a character that JSON has to escape. */
static void add_escape(struct str *s, unsigned char c)
{
	if (c == '"' || c == '\\')
		str_addf(s, "\\%c", c);
	else if (c == '\n')
		str_add(s, "\\n");
	else if (c == '\t')
		str_add(s, "\\t");
	else
		str_addf(s, "\\u%04x", c);
}

/* Small letters, of which keys consist, need two comparisons. */
static bool is_plain(unsigned char c)
{
	return c > '\\' ? c != 0x7f : c >= 0x20 && c != '"' && c != '\\';
}

/* Returns whether is_plain() holds for each of eight bytes. */
static bool are_plain(uint64_t eight)
{
	return !eight_below(eight, 0x20) && !eight_have(eight, 0x7f) && !eight_have(eight, '"') &&
	    !eight_have(eight, '\\');
}

/* Adds the plain characters at the beginning of n bytes, for which there is room. */
static const char *add_plain(struct str *s, const char *text, size_t n)
{
	const char *end = text + n;
	char *to = s->text + s->length;

	for (; end - text >= 8 && are_plain(eight_load(text)); text += 8, to += 8)
		memcpy(to, text, 8);
	while (text < end && is_plain((unsigned char)*text))
		*to++ = *text++;
	s->length = (size_t)(to - s->text);
	return text;
}

/* Most of what vmrun writes is JSON, and most of its strings are short and plain. */
void str_add_json(struct str *s, const char *text)
{
	const char *end = text + strlen(text);

	make_room(s, (size_t)(end - text) + 2);
	s->text[s->length++] = '"';
	text = add_plain(s, text, (size_t)(end - text));
	while (text < end) {
		add_escape(s, (unsigned char)*text++);
		make_room(s, (size_t)(end - text) + 1);
		text = add_plain(s, text, (size_t)(end - text));
	}
	s->text[s->length++] = '"';
	s->text[s->length] = '\0';
}

bool str_is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Returns the length of the well-formed character that begins here, or 0 (Unicode, table 3-7). */
static size_t utf8_length(const unsigned char *p)
{
	static const struct {
		unsigned char first, last; /* the byte that begins it */
		unsigned char min, max;	   /* the byte after that; the rest is 80 to bf */
		size_t length;
	} rows[] = { { 0x00, 0x7f, 0, 0, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 } };
	size_t row = 0;

	while (row < sizeof(rows) / sizeof(rows[0]) && *p > rows[row].last)
		row++;
	if (row == sizeof(rows) / sizeof(rows[0]) || *p < rows[row].first)
		return 0;
	if (rows[row].length > 1 && (p[1] < rows[row].min || p[1] > rows[row].max))
		return 0;
	for (size_t i = 2; i < rows[row].length; i++) {
		if (!str_is_continuation((char)p[i]))
			return 0;
	}
	return rows[row].length;
}

static bool is_ascii(char byte)
{
	return (unsigned char)byte < 0x80;
}

/* Returns how many bytes at the beginning of the text are UTF-8. */
static size_t utf8_span(const char *text)
{
	const char *p = text;
	size_t n;

	do {
		while (is_ascii(*p) && *p != '\0')
			p++;
		n = *p == '\0' ? 0 : utf8_length((const unsigned char *)p);
		p += n;
	} while (n > 0);
	return (size_t)(p - text);
}

void str_add_utf8(struct str *s, const char *text)
{
	size_t n = utf8_span(text);

	str_add_n(s, text, n);
	while (text[n] != '\0') {
		str_add(s, "\xef\xbf\xbd");
		text += n + 1;
		n = utf8_span(text);
		str_add_n(s, text, n);
	}
}

/* Returns how many bytes at the beginning of the string are surely ASCII. */
static size_t ascii_span(const struct str *s)
{
	size_t n = 0;

	while (s->length - n >= 8 && eight_are_ascii(eight_load(s->text + n)))
		n += 8;
	return n;
}

void str_make_utf8(struct str *s)
{
	struct str valid = { 0 };
	const char *rest;

	if (s->text == NULL)
		return;
	rest = s->text + ascii_span(s);
	if (rest[utf8_span(rest)] == '\0')
		return;
	str_add_utf8(&valid, s->text);
	str_free(s);
	*s = valid;
}

/*
 * Returns whether no POSIX shell treats the character specially anywhere inside a word.  In ASCII
 * `+` to `:` are "+,-./", the digits and ":", and `@` stands before the capitals.
 */
static bool is_plain_in_shell(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '+' && c <= ':') || (c >= '@' && c <= 'Z') ||
	    c == '_' || c == '=' || c == '%';
}

void str_add_quoted(struct str *s, const char *text)
{
	const char *end = text;

	while (is_plain_in_shell(*end))
		end++;
	if (*end == '\0' && end > text) {
		str_add_n(s, text, (size_t)(end - text));
		return;
	}
	str_add(s, "'");
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\'')
			str_add(s, "'\\''");
		else
			str_add_n(s, p, 1);
	}
	str_add(s, "'");
}

/* Returns n, less the bytes of a character that would be cut there. */
static size_t whole_characters(const char *text, size_t n)
{
	while (n > 0 && str_is_continuation(text[n]))
		n--;
	return n;
}

void str_add_line(struct str *s, const char *text, size_t max)
{
	STR_AUTO struct str line = { 0 };
	bool gap = false;

	for (const char *p = text; *p != '\0' && line.length <= max; p++) {
		if ((unsigned char)*p <= ' ' || *p == 0x7f) {
			gap = line.length > 0;
			continue;
		}
		if (gap)
			str_add(&line, " ");
		gap = false;
		str_add_n(&line, p, 1);
	}
	if (line.length > max) {
		str_add_n(s, line.text, whole_characters(line.text, max));
		str_add(s, "...");
	} else if (line.length > 0) {
		str_add_n(s, line.text, line.length);
	}
}

char *str_last_line(const char *text, size_t n, const char *trim)
{
	size_t start;

	/* strchr() finds a NUL, too. */
	while (n > 0 && strchr(trim, text[n - 1]) != NULL)
		n--;
	for (start = n; start > 0 && text[start - 1] != '\n'; start--)
		;
	return start < n ? mem_copy_n(text + start, n - start) : NULL;
}

const char *str_after(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

char *str_take(struct str *s)
{
	char *text = s->text == NULL ? mem_copy("") : s->text;

	memset(s, 0, sizeof(*s));
	return text;
}

void str_free(struct str *s)
{
	free(s->text);
	memset(s, 0, sizeof(*s));
}
