/* Strict JSON, token by token. */
#include "base/json.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/eight.h"
#include "base/mem.h"
#include "base/str.h"

void json_start(struct json *j, const char *text, size_t length)
{
	memset(j, 0, sizeof(*j));
	j->text = text;
	j->length = length;
	j->expects = WANT_VALUE;
}

static int peek(const struct json *j)
{
	return j->at < j->length ? (unsigned char)j->text[j->at] : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct json *j)
{
	while (j->at < j->length && is_blank(j->text[j->at]))
		j->at++;
}

/* Returns whether the reader is at a comment, for an error outside of a string. */
static bool is_at_comment(const struct json *j)
{
	int after = j->at + 1 < j->length ? (unsigned char)j->text[j->at + 1] : -1;

	return peek(j) == '#' || (peek(j) == '/' && (after == '/' || after == '*'));
}

static enum json_type fail(struct json *j, const char *why)
{
	if (j->error == NULL)
		j->error = is_at_comment(j) ? "JSON has no comments; UCL and Lua do" : why;
	return JSON_ERROR;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static unsigned hex4(const char *p)
{
	char digits[5] = { p[0], p[1], p[2], p[3], '\0' };

	return (unsigned)strtoul(digits, NULL, 16);
}

static bool four_hex(const struct json *j, size_t at)
{
	if (at + 4 > j->length)
		return false;
	return is_hex(j->text[at]) && is_hex(j->text[at + 1]) && is_hex(j->text[at + 2]) &&
	    is_hex(j->text[at + 3]);
}

/* Steps over an escape; returns NULL, or the reason why the escape is malformed. */
static const char *skip_escape(struct json *j)
{
	int c = j->at + 1 < j->length ? j->text[j->at + 1] : '\0';
	unsigned unit;

	if (c != 'u') {
		if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
			return "an unknown escape in a string";
		j->at += 2;
		return NULL;
	}
	if (!four_hex(j, j->at + 2))
		return "\\u needs four hex digits";
	unit = hex4(j->text + j->at + 2);
	if (unit == 0)
		return "a string holds a NUL (\\u0000)";
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return "half of a surrogate pair in a string";
	if (unit >= 0xd800 && unit <= 0xdbff) {
		if (j->at + 12 > j->length || memcmp(j->text + j->at + 6, "\\u", 2) != 0 ||
		    !four_hex(j, j->at + 8) || hex4(j->text + j->at + 8) < 0xdc00 ||
		    hex4(j->text + j->at + 8) > 0xdfff)
			return "half of a surrogate pair in a string";
		j->at += 6;
	}
	j->at += 6;
	return NULL;
}

/* Returns whether a character of a string stands for itself.  Small letters need one comparison. */
static bool is_plain(unsigned char c)
{
	return c > '\\' || (c >= 0x20 && c != '"' && c != '\\');
}

/* Returns whether eight characters of a string stand for themselves. */
static bool are_plain(uint64_t eight)
{
	return !eight_below(eight, 0x20) && !eight_have(eight, '"') && !eight_have(eight, '\\');
}

/* Steps over plain characters, of which most of a spec consists. */
static void skip_plain(struct json *j)
{
	const char *p = j->text + j->at, *end = j->text + j->length;

	while (end - p >= 8 && are_plain(eight_load(p)))
		p += 8;
	while (p < end && is_plain((unsigned char)*p))
		p++;
	j->at = (size_t)(p - j->text);
}

static enum json_type scan_string(struct json *j, struct json_token *token, enum json_type type)
{
	token->offset = j->at++;
	for (skip_plain(j); peek(j) != '"'; skip_plain(j)) {
		int c = peek(j);
		const char *why = NULL;

		if (c < 0)
			why = "unterminated string";
		else if (c < 0x20)
			why = c == '\n' ? "unterminated string: write a line break as \\n"
			    : c == '\0' ? "a NUL byte in a string"
					: "a control character in a string";
		else
			why = skip_escape(j);
		token->escapes = true;
		if (why != NULL)
			return fail(j, why);
	}
	j->at++;
	token->length = j->at - token->offset;
	return type;
}

static enum json_type scan_digits(struct json *j, const char *why)
{
	if (!is_digit(peek(j)))
		return fail(j, why);
	while (is_digit(peek(j)))
		j->at++;
	return JSON_NUMBER;
}

double json_double(const char *text)
{
	const char *point = localeconv()->decimal_point, *dot = strchr(text, '.');

	if (dot == NULL || strcmp(point, ".") == 0)
		return strtod(text, NULL);
	MEM_AUTO char *local = mem_format("%.*s%s%s", (int)(dot - text), text, point, dot + 1);

	return strtod(local, NULL);
}

static enum json_type scan_number(struct json *j, struct json_token *token)
{
	size_t start = j->at;
	char buffer[MAX_JSON_NUMBER + 1];

	if (peek(j) == '-')
		j->at++;
	if (peek(j) == '0' && j->at + 1 < j->length && is_digit((unsigned char)j->text[j->at + 1]))
		return fail(j, "a number with a leading zero");
	if (scan_digits(j, "a number without digits") == JSON_ERROR)
		return JSON_ERROR;
	if (peek(j) == '.') {
		j->at++;
		if (scan_digits(j, "a number without digits after its point") == JSON_ERROR)
			return JSON_ERROR;
	}
	if (peek(j) == 'e' || peek(j) == 'E') {
		j->at++;
		if (peek(j) == '+' || peek(j) == '-')
			j->at++;
		if (scan_digits(j, "a number without digits in its exponent") == JSON_ERROR)
			return JSON_ERROR;
	}
	if (peek(j) >= 0 && strchr("xXabcdefABCDEF_.+-", peek(j)) != NULL)
		return fail(j, "not a number as JSON writes it");
	token->offset = start;
	token->length = j->at - start;
	if (token->length > MAX_JSON_NUMBER)
		return fail(j, "a number of more than " STR_LITERAL(MAX_JSON_NUMBER) " characters");
	memcpy(buffer, j->text + start, token->length);
	buffer[token->length] = '\0';
	if (isinf(json_double(buffer)))
		return fail(j, "a number that is too large");
	return JSON_NUMBER;
}

static enum json_type scan_word(struct json *j, struct json_token *token)
{
	static const struct {
		const char *word;
		enum json_type type;
	} words[] = { { "true", JSON_TRUE }, { "false", JSON_FALSE }, { "null", JSON_NULL } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);

		if (j->length - j->at >= n && memcmp(j->text + j->at, words[i].word, n) == 0) {
			token->offset = j->at;
			token->length = n;
			j->at += n;
			return words[i].type;
		}
	}
	return fail(j, peek(j) == 0 ? "a NUL byte" : "not a JSON value");
}

static enum json_type open(struct json *j, struct json_token *token, bool object)
{
	if (j->depth == MAX_JSON_DEPTH)
		return fail(j, "nested deeper than " STR_LITERAL(MAX_JSON_DEPTH) " levels");
	j->in_object[j->depth++] = object;
	token->offset = j->at++;
	token->length = 1;
	j->expects = object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
	return object ? JSON_OBJECT : JSON_LIST;
}

static void after_value(struct json *j)
{
	j->expects = j->depth == 0 ? WANT_NOTHING : WANT_COMMA;
}

static enum json_type close(struct json *j, struct json_token *token)
{
	bool object = j->in_object[j->depth - 1];

	if (peek(j) != (object ? '}' : ']'))
		return fail(j, object ? "expected \"}\", not \"]\"" : "expected \"]\", not \"}\"");
	token->offset = j->at++;
	token->length = 1;
	j->depth--;
	after_value(j);
	return object ? JSON_OBJECT_END : JSON_LIST_END;
}

static enum json_type value(struct json *j, struct json_token *token)
{
	enum json_type type;
	int c = peek(j);

	if (c == '{' || c == '[')
		return open(j, token, c == '{');
	if (c == '"')
		type = scan_string(j, token, JSON_STRING);
	else if (c == '-' || is_digit(c))
		type = scan_number(j, token);
	else if (c < 0)
		return fail(j, j->depth > 0 ? "unexpected end of the text" : "the text is empty");
	else
		type = scan_word(j, token);
	if (type != JSON_ERROR)
		after_value(j);
	return type;
}

/* Reads the comma between two values, or the end of a container or of the document. */
static enum json_type between(struct json *j, struct json_token *token, bool *more)
{
	int c = peek(j);

	*more = false;
	if (j->expects == WANT_NOTHING)
		return c < 0 ? JSON_END : fail(j, "text after the end of the document");
	if (c == ',') {
		j->at++;
		skip_blanks(j);
		j->expects = j->in_object[j->depth - 1] ? WANT_KEY : WANT_VALUE;
		*more = true;
		return JSON_END;
	}
	if (c == '}' || c == ']')
		return close(j, token);
	return fail(j,
	    c < 0 ? "unexpected end of the text" : "expected a comma or the end of the container");
}

static enum json_type key(struct json *j, struct json_token *token)
{
	enum json_type type;

	if (peek(j) == '}' && j->expects == WANT_KEY_OR_END)
		return close(j, token);
	if (peek(j) != '"')
		return fail(
		    j, peek(j) < 0 ? "unexpected end of the text" : "expected a key in quotes");
	type = scan_string(j, token, JSON_KEY);
	if (type != JSON_ERROR)
		j->expects = WANT_COLON;
	return type;
}

enum json_type json_next(struct json *j, struct json_token *token)
{
	bool more = true;

	memset(token, 0, sizeof(*token));
	if (j->error != NULL)
		return token->type = JSON_ERROR;
	skip_blanks(j);
	if (j->expects == WANT_COMMA || j->expects == WANT_NOTHING)
		token->type = between(j, token, &more);
	if (!more)
		return token->type;
	if (j->expects == WANT_COLON) {
		if (peek(j) != ':')
			return token->type = fail(j,
				   peek(j) < 0 ? "unexpected end of the text"
					       : "expected a colon after the key");
		j->at++;
		skip_blanks(j);
		j->expects = WANT_VALUE;
	}
	if (j->expects == WANT_KEY || j->expects == WANT_KEY_OR_END)
		token->type = key(j, token);
	else if (j->expects == WANT_VALUE_OR_END && peek(j) == ']')
		token->type = close(j, token);
	else
		token->type = value(j, token);
	return token->type;
}

bool json_at_value(const struct json *j)
{
	return j->expects == WANT_VALUE || j->expects == WANT_VALUE_OR_END;
}

bool json_at_key(const struct json *j)
{
	return j->expects == WANT_KEY || j->expects == WANT_KEY_OR_END;
}

static void add_utf8(struct str *s, unsigned c)
{
	char b[4];

	if (c < 0x80) {
		b[0] = (char)c;
		str_add_n(s, b, 1);
	} else if (c < 0x800) {
		b[0] = (char)(0xc0 | c >> 6);
		b[1] = (char)(0x80 | (c & 0x3f));
		str_add_n(s, b, 2);
	} else if (c < 0x10000) {
		b[0] = (char)(0xe0 | c >> 12);
		b[1] = (char)(0x80 | (c >> 6 & 0x3f));
		b[2] = (char)(0x80 | (c & 0x3f));
		str_add_n(s, b, 3);
	} else {
		b[0] = (char)(0xf0 | c >> 18);
		b[1] = (char)(0x80 | (c >> 12 & 0x3f));
		b[2] = (char)(0x80 | (c >> 6 & 0x3f));
		b[3] = (char)(0x80 | (c & 0x3f));
		str_add_n(s, b, 4);
	}
}

/* Adds the character of an escape, which the reader has checked; returns the place behind it. */
static const char *add_escape(struct str *s, const char *p)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	unsigned c;

	if (p[1] != 'u') {
		str_add_n(s, &to[strchr(from, p[1]) - from], 1);
		return p + 2;
	}
	c = hex4(p + 2);
	if (c >= 0xd800 && c <= 0xdbff) {
		c = 0x10000 + ((c - 0xd800) << 10) + (hex4(p + 8) - 0xdc00);
		p += 6;
	}
	add_utf8(s, c);
	return p + 6;
}

char *json_text(const struct json *j, const struct json_token *token, size_t *length)
{
	const char *p = j->text + token->offset + 1, *end = p + token->length - 2;
	struct str s = { 0 };

	if (!token->escapes) {
		if (length != NULL)
			*length = (size_t)(end - p);
		return mem_copy_n(p, (size_t)(end - p));
	}
	while (p < end) {
		const char *escape = memchr(p, '\\', (size_t)(end - p));

		str_add_n(&s, p, (size_t)((escape == NULL ? end : escape) - p));
		p = escape == NULL ? end : add_escape(&s, escape);
	}
	if (length != NULL)
		*length = s.length;
	return str_take(&s);
}

void json_line(const char *text, size_t offset, size_t *line, size_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset; i++) {
		*column += 1;
		if (text[i] == '\n') {
			*line += 1;
			*column = 1;
		}
	}
}

char *json_indent(const char *json)
{
	struct str out = { 0 };
	int depth = 0;
	bool quoted = false, escaped = false;

	for (const char *p = json; *p != '\0'; p++) {
		bool opens = !quoted && (*p == '{' || *p == '[');
		bool closes = !quoted && (*p == '}' || *p == ']');
		bool empty = opens && (p[1] == '}' || p[1] == ']');

		if (*p == '"' && !escaped)
			quoted = !quoted;
		escaped = *p == '\\' && !escaped;
		if (empty) {
			str_add_n(&out, p++, 2);
			continue;
		}
		if (closes)
			str_addf(&out, "\n%*s", 2 * --depth, "");
		str_add_n(&out, p, 1);
		if (!quoted && *p == ':')
			str_add(&out, " ");
		if (opens || (!quoted && *p == ','))
			str_addf(&out, "\n%*s", 2 * (depth += opens ? 1 : 0), "");
	}
	str_add(&out, "\n");
	return str_take(&out);
}

/* Returns the value that begins with this token, the last one read; NULL for null and an error. */
static char *rest_of(struct json *j, const struct json_token *first)
{
	struct json_token last = *first;
	int depth = j->depth - (first->type == JSON_OBJECT || first->type == JSON_LIST);

	if (first->type == JSON_STRING)
		return json_text(j, first, NULL);
	while (j->depth > depth && last.type != JSON_ERROR && last.type != JSON_END)
		(void)json_next(j, &last);
	if (first->type == JSON_NULL || last.type == JSON_ERROR || last.type == JSON_END)
		return NULL;
	return mem_copy_n(j->text + first->offset, last.offset + last.length - first->offset);
}

char *json_member(const char *text, const char *key)
{
	struct json j;
	struct json_token token;
	bool found = false;

	json_start(&j, text, strlen(text));
	while (json_next(&j, &token) != JSON_END && token.type != JSON_ERROR) {
		if (found)
			return rest_of(&j, &token);
		if (token.type == JSON_KEY && j.depth == 1 && j.in_object[0]) {
			MEM_AUTO char *name = json_text(&j, &token, NULL);

			found = strcmp(name, key) == 0;
		}
	}
	return NULL;
}
