/*
 * Writes compact JSON at the end of a text, one value after the other.
 *
 * `key` is the name of a member of the open object.  NULL: the value is an entry of the open list,
 * or the whole document.  The text is the only state: the writer adds a comma unless the text is
 * empty or ends with a byte that cannot end a value.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/words.h"

void json_begin_object(struct str *s, const char *key);
void json_end_object(struct str *s);
void json_begin_list(struct str *s, const char *key);
void json_end_list(struct str *s);

/* Writes a string; null for NULL. */
void json_add_text(struct str *s, const char *key, const char *text);
void json_add_textf(struct str *s, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Writes a list of strings. */
void json_add_words(struct str *s, const char *key, const struct words *words);
void json_add_int(struct str *s, const char *key, int64_t number);
/* Writes the fewest digits that read back as the same number; 2 becomes 2.0, infinity null. */
void json_add_number(struct str *s, const char *key, double number);
/* Writes up to 15 significant digits: 2 stays 2, and infinity becomes null. */
void json_add_decimal(struct str *s, const char *key, double number);
void json_add_bool(struct str *s, const char *key, bool value);
void json_add_null(struct str *s, const char *key);
/* Writes a value that is JSON already; null for NULL. */
void json_add_json(struct str *s, const char *key, const char *json);

#endif
