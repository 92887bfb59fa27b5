/* Rows of tests: a host, the words of a command line, and what bhyve makes of them. */
#ifndef FAKE_ROWS_H
#define FAKE_ROWS_H

#include "fake.h"

/* "13" to "16", or "arm15", "arm16"; no files, nothing printed. */
struct fake_host row_host(const char *name);

/* Words stand between blanks; '' is an empty one. All are given before the name of the VM, `vm`. */
int row_status(const char *name, const char *words);
int row_status_on(const struct fake_host *host, const char *words, struct fake_machine *machine);
/* Without the name of the VM. */
int row_status_bare(const char *name, const char *words);
/* The tree, `path=value` lines; lent until the next call. Fails the test if argv is refused. */
const char *row_tree(const char *name, const char *words);
/* The value of one variable as a device would read it; lent until the next call. */
const char *row_value(const char *name, const char *words, const char *path);
/* What the last refusal said. */
extern char row_message[512];

struct row {
	const char *host, *words;
	int status;
};
struct tree_row {
	const char *host, *words, *lines; /* lines that stand one after the other in the tree */
};

/* Name the row that differs, all of them, then fail. */
void check_rows(const struct row *rows, size_t n);
void check_tree_rows(const struct tree_row *rows, size_t n);

#define ROWS(array) (array), sizeof(array) / sizeof((array)[0])

#endif
