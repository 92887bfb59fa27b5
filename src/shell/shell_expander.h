/* What the files of the expansion share. */
#ifndef SHELL_EXPANDER_H
#define SHELL_EXPANDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "base/words.h"
#include "shell/shell_values.h"

/* One word on its way to fields. */
struct shell_expander {
	struct shell_values *v;
	struct shell_basis *basis;
	size_t line;
	bool splits;  /* unquoted values are split at blanks */
	bool is_here; /* a here-document, in which quotes are text */
	struct words *out;
	struct str field;
	bool has_field; /* also an empty one, as of "" */
	bool had_field; /* in front of the current quotes */
	bool is_empty_list;
	bool has_pattern; /* the field has "*", "?" or "[" without quotes */
};

/* Expands a text; `depth`: levels of ${a:-${b:-...}} around it. */
void shell_put_all(
    struct shell_expander *x, const char *p, const char *end, bool quoted, unsigned depth);
/* Adds a value, which is split at blanks where it has no quotes. */
void shell_put_value(struct shell_expander *x, const char *value, bool quoted);
/* Adds the value of a variable, or notes that it is missing. */
void shell_put_variable(struct shell_expander *x, const char *name, size_t n, bool quoted);
/*
 * Adds the elements of a list: of an array, or of the positional parameters, whose name is "@".
 * `mark`: "@", or "*" where quotes join them.
 */
void shell_put_list(struct shell_expander *x, const char *name, size_t n, char mark, bool quoted);
/*
 * Expands what stands in ${}: NAME, or NAME with an operator and a word.  - = + ? may have a ":".
 * Returns false if vmrun does not know this form.
 */
bool shell_put_braces(
    struct shell_expander *x, const char *p, const char *end, bool quoted, unsigned depth);

#endif
