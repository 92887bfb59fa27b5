/*
 * A strict reader of JSON (RFC 8259): one token at a time, without recursion and without copies.
 * The reader judges the text; it makes no values.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_JSON_DEPTH 64  /* levels; a spec has a handful */
#define MAX_JSON_NUMBER 63 /* characters */

enum json_type {
	JSON_END,	 /* after the whole document */
	JSON_ERROR,	 /* json->error is the reason, json->at the place; the reader stays there */
	JSON_OBJECT,	 /* { */
	JSON_OBJECT_END, /* } */
	JSON_LIST,	 /* [ */
	JSON_LIST_END,	 /* ] */
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_token {
	enum json_type type;
	size_t offset; /* of its first byte in the text */
	size_t length; /* in bytes; strings and keys with their quotes */
	bool escapes;  /* a string or key with backslashes */
};

/* The tokens that may come next. */
enum json_want {
	WANT_VALUE,
	WANT_VALUE_OR_END,
	WANT_KEY,
	WANT_KEY_OR_END,
	WANT_COLON,
	WANT_COMMA,
	WANT_NOTHING,
};

struct json {
	const char *text; /* lent by the caller */
	size_t length;
	size_t at;
	const char *error; /* a static text */
	int depth;
	bool in_object[MAX_JSON_DEPTH];
	enum json_want expects;
};

/* Begins to read a text. */
void json_start(struct json *j, const char *text, size_t length);
/*
 * Returns the value of a number as JSON writes it, with a point, whatever character the program
 * around the library has chosen for it (setlocale(3)).
 */
double json_double(const char *text);
/* Reads the next token. */
enum json_type json_next(struct json *j, struct json_token *token);
/* Returns whether the reader is at a value: the next one, or the one that it refused. */
bool json_at_value(const struct json *j);
/* Returns the same of a key. */
bool json_at_key(const struct json *j);
/* Returns the text of a string or key with its escapes resolved, and its length.  Caller frees. */
char *json_text(const struct json *j, const struct json_token *token, size_t *length)
    __attribute__((returns_nonnull));
/* Finds the line, from 1, and the column, in bytes from 1. */
void json_line(const char *text, size_t offset, size_t *line, size_t *column);
/*
 * Returns compact JSON in indented lines, each with its end; braces and commas inside strings stay.
 * Caller frees.
 */
char *json_indent(const char *json);
/*
 * Returns a member of a JSON object, such as an event or an answer of the control socket: the text
 * of a string, or any other value as JSON.  NULL: the text is not an object, lacks the member, or
 * the member is null.  Caller frees.
 */
char *json_member(const char *text, const char *key);

#endif
