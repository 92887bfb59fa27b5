/* Parsing of a command line by rows of options. */
#include "cli/rows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"

#define MAX_SHOWN 64 /* bytes of an unknown option in its error message */

char *rows_error(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return mem_copy(text);
}

static bool is_given(const struct row *o, const char *value)
{
	return o->kind == FLAG || (value != NULL && (*value != '\0' || o->kind == EMPTY_TEXT));
}

/* Returns the error of an option whose value is missing or empty. */
static char *missing(const struct row *o, const char *value)
{
	const char letter[] = { o->letter, '\0' };

	return rows_error("%s%s needs %s%s", o->name != NULL ? "--" : "-",
	    o->name != NULL ? o->name : letter, o->argument, value == NULL ? "" : ", got \"\"");
}

/* Stores the value of an option.  Returns NULL or an error message. */
static char *store(const struct row *o, const char *value, void *out)
{
	void *at = (char *)out + o->offset;
	const char **list;
	char *end;

	if (!is_given(o, value))
		return missing(o, value);
	switch (o->kind) {
	case FLAG:
		*(bool *)at = true;
		break;
	case TEXT:
	case EMPTY_TEXT:
		*(const char **)at = value;
		break;
	case COUNT:
		errno = 0;
		*(int64_t *)at = strtoll(value, &end, 10);
		if (*value < '0' || *value > '9' || *end != '\0' || errno != 0)
			return rows_error(
			    "invalid --%s \"%s\": expected a whole number", o->name, value);
		break;
	case LIST:
		for (list = *(const char ***)at; *list != NULL; list++)
			;
		*list = value;
		break;
	}
	return NULL;
}

/* Returns the error of an unknown option, given with its dashes, with the option it may mean. */
static char *unknown(const struct rows *rows, const char *dashes, const char *word, size_t n)
{
	char name[MAX_SHOWN + 1];
	struct near near = { .words = NEAR_OPTION, .wanted = name };

	(void)snprintf(name, sizeof(name), "%.*s", (int)(n > MAX_SHOWN ? MAX_SHOWN : n), word);
	for (size_t i = 0; i < rows->count; i++) {
		if (rows->row[i].name != NULL)
			near_offer(&near, rows->row[i].name);
	}
	MEM_AUTO char *hint = near_option_hint(&near);

	return rows_error("unknown option %s%s%s", dashes, name, hint);
}

/* Parses --NAME, --NAME=VALUE or --NAME VALUE. */
static char *parse_long(const struct rows *rows, int argc, char **argv, int *i, void *out)
{
	const char *word = argv[*i] + 2, *equal = strchr(word, '=');
	size_t n = equal == NULL ? strlen(word) : (size_t)(equal - word);

	for (size_t k = 0; k < rows->count; k++) {
		const struct row *o = &rows->row[k];

		if (o->name == NULL || strlen(o->name) != n || strncmp(o->name, word, n) != 0)
			continue;
		if (o->argument == NULL && equal != NULL)
			return rows_error("--%s takes no value", o->name);
		if (equal != NULL || o->argument == NULL)
			return store(o, equal == NULL ? NULL : equal + 1, out);
		return store(o, *i + 1 < argc ? argv[++*i] : NULL, out);
	}
	return unknown(rows, "--", word, n);
}

/* Parses -x, -xVALUE or -x VALUE, and several flags in one word: -dx. */
static char *parse_short(const struct rows *rows, int argc, char **argv, int *i, void *out)
{
	for (const char *p = argv[*i] + 1; *p != '\0'; p++) {
		const struct row *o = NULL;
		char *wrong;

		for (size_t k = 0; k < rows->count && o == NULL; k++)
			o = rows->row[k].letter == *p ? &rows->row[k] : NULL;
		if (o == NULL)
			return unknown(rows, "-", p, 1);
		if (o->argument != NULL && p[1] != '\0')
			return store(o, p + 1, out);
		wrong = store(o, o->argument != NULL && *i + 1 < argc ? argv[++*i] : NULL, out);
		if (wrong != NULL || o->argument != NULL)
			return wrong;
	}
	return NULL;
}

char *rows_parse(const struct rows *rows, int argc, char **argv, int *i, void *out)
{
	return strncmp(argv[*i], "--", 2) == 0 ? parse_long(rows, argc, argv, i, out)
					       : parse_short(rows, argc, argv, i, out);
}

void rows_help(const struct rows *rows, FILE *to)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *o = &rows->row[i];
		char left[64];

		(void)snprintf(left, sizeof(left), "%c%c%s%s%s%s%s", o->letter != 0 ? '-' : ' ',
		    o->letter != 0 ? o->letter : ' ',
		    o->letter != 0 && o->name != NULL ? ", " : "  ", o->name != NULL ? "--" : "",
		    o->name != NULL ? o->name : "", o->argument != NULL ? " " : "",
		    o->argument != NULL ? o->argument : "");
		(void)fprintf(to, "  %-26s  %s\n", left, o->help);
	}
}
