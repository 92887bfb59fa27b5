/* The writer of JSON. */
#include "base/json_write.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Writes the comma before a value, where one is due, and the key, if there is one. */
static void begin_value(struct str *s, const char *key)
{
	char last = s->length > 0 ? s->text[s->length - 1] : ',';

	if (last != '{' && last != '[' && last != ':' && last != ',')
		str_add_char(s, ',');
	if (key == NULL)
		return;
	str_add_json(s, key);
	str_add_char(s, ':');
}

static void add(struct str *s, const char *key, const char *json)
{
	begin_value(s, key);
	str_add(s, json);
}

void json_begin_object(struct str *s, const char *key)
{
	begin_value(s, key);
	str_add_char(s, '{');
}

void json_end_object(struct str *s)
{
	str_add_char(s, '}');
}

void json_begin_list(struct str *s, const char *key)
{
	begin_value(s, key);
	str_add_char(s, '[');
}

void json_end_list(struct str *s)
{
	str_add_char(s, ']');
}

void json_add_text(struct str *s, const char *key, const char *text)
{
	if (text == NULL) {
		json_add_null(s, key);
		return;
	}
	begin_value(s, key);
	str_add_json(s, text);
}

void json_add_textf(struct str *s, const char *key, const char *fmt, ...)
{
	MEM_AUTO char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = mem_vformat(fmt, args);
	va_end(args);
	json_add_text(s, key, text);
}

void json_add_words(struct str *s, const char *key, const struct words *words)
{
	json_begin_list(s, key);
	for (size_t i = 0; i < words->count; i++)
		json_add_text(s, NULL, words->item[i]);
	json_end_list(s);
}

void json_add_int(struct str *s, const char *key, int64_t number)
{
	begin_value(s, key);
	str_add_int(s, number);
}

/*
 * Writes what printf made of a number, with a point: the program around the library may have chosen
 * a locale with another character.
 */
static void add_digits(struct str *s, const char *key, char *text)
{
	size_t n = strspn(text, "+-0123456789e");

	if (text[n] != '\0')
		text[n] = '.';
	add(s, key, text);
}

void json_add_number(struct str *s, const char *key, double number)
{
	char text[40];

	if (!isfinite(number)) {
		json_add_null(s, key);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	add_digits(s, key, text);
	if (strpbrk(text, ".e") == NULL)
		str_add(s, ".0");
}

void json_add_decimal(struct str *s, const char *key, double number)
{
	char text[40];

	if (!isfinite(number)) {
		json_add_null(s, key);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.15g", number);
	add_digits(s, key, text);
}

void json_add_bool(struct str *s, const char *key, bool value)
{
	add(s, key, value ? "true" : "false");
}

void json_add_null(struct str *s, const char *key)
{
	add(s, key, "null");
}

void json_add_json(struct str *s, const char *key, const char *json)
{
	add(s, key, json == NULL ? "null" : json);
}
