/* A string that grows.  A zeroed struct is an empty string; the text is NUL-terminated or NULL. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	char *text; /* owned */
	size_t length;
	size_t room;
};

void str_add(struct str *s, const char *text);
void str_add_n(struct str *s, const char *bytes, size_t n);
void str_add_char(struct str *s, char c);
/* Adds a number in decimal, which is many times faster than to format it. */
void str_add_int(struct str *s, int64_t number);
/* Adds milliseconds, 0 or more, as "1.5 s". */
void str_add_seconds(struct str *s, int64_t ms);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds text as a JSON string with its quotes.  Bytes that are not UTF-8 pass through. */
void str_add_json(struct str *s, const char *text);
/* Adds text, with U+FFFD for each byte that is not UTF-8. */
void str_add_utf8(struct str *s, const char *text);
/* Replaces each byte of the string that is not UTF-8 in the same way. */
void str_make_utf8(struct str *s);
/* Adds text so that a POSIX shell reads it as one word. */
void str_add_quoted(struct str *s, const char *text);
/*
 * Adds foreign text as a part of one line: blanks, line ends and control characters between two
 * words become one blank, and those at both ends vanish.  Adds at most `max` bytes, and "..."
 * after a cut, which tears no character of UTF-8.
 */
void str_add_line(struct str *s, const char *text, size_t max);
/*
 * Returns the last line of n bytes after NULs and the bytes in `trim` have been removed from the
 * end; NULL if nothing is left.  Caller frees.
 */
char *str_last_line(const char *text, size_t n, const char *trim);
/* Returns whether the byte continues a character of UTF-8: text must not be cut before it. */
bool str_is_continuation(char byte);
/* Returns the text behind the prefix, or NULL where it does not begin with that. */
const char *str_after(const char *text, const char *prefix);
/* Returns the text (never NULL), which the caller frees, and empties the string. */
char *str_take(struct str *s);
void str_free(struct str *s);
#define STR_AUTO __attribute__((cleanup(str_free)))

/* Makes a literal of a limit, to be joined with the literals around it: MAX_X becomes "64". */
#define STR_LITERAL(limit) STR_LITERAL_OF(limit)
#define STR_LITERAL_OF(number) #number

#endif
