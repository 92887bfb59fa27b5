/* Options as rows of a table, to parse a command line and to print its help. */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include <stddef.h>
#include <stdio.h>

enum row_kind {
	FLAG,	    /* a bool */
	TEXT,	    /* a const char *, not empty */
	EMPTY_TEXT, /* a const char *, "" is a value */
	COUNT,	    /* an int64_t, at least 0 */
	LIST, /* a const char **, NULL-terminated, with space for all of argv; none is empty */
};

struct row {
	char letter; /* '\0': none */
	const char *name;
	const char *argument; /* NULL: none */
	enum row_kind kind;
	size_t offset; /* of the member that receives the value */
	const char *help;
};

struct rows {
	const struct row *row;
	size_t count;
};

/*
 * Parses the option at argv[*i], which begins with "-", and stores its value in *out; advances *i
 * over a value in a separate word.  Returns NULL or an error message.  Caller frees.
 */
char *rows_parse(const struct rows *rows, int argc, char **argv, int *i, void *out);
/* Prints one line per option. */
void rows_help(const struct rows *rows, FILE *to);
/* Returns a formatted error message.  Caller frees. */
char *rows_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
