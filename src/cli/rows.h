/* Options as rows of a table, for parsing and for help. */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include <stddef.h>
#include <stdio.h>

enum row_kind {
	FLAG,  /* a bool */
	TEXT,  /* a const char * */
	COUNT, /* an int64_t, from 0 on */
	LIST,  /* a const char **, NULL-terminated, with room for all of argv */
};

struct row {
	char letter; /* '\0': none */
	const char *name;
	const char *argument; /* NULL: takes none */
	enum row_kind kind;
	size_t offset; /* of the member that gets the value */
	const char *help;
};

struct rows {
	const struct row *row;
	size_t count;
};

/*
 * Takes the option at argv[*i], which begins with "-", and stores its value in *out; advances *i
 * over a value in a word of its own.  Returns NULL, or what is wrong (owned by the caller).
 */
char *rows_parse(const struct rows *rows, int argc, char **argv, int *i, void *out);
/* Prints a line for each option. */
void rows_help(const struct rows *rows, FILE *to);
/* Returns a formatted complaint. Caller frees. */
char *rows_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
