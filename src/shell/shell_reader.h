/* What the files share that split a text into the commands and words of a shell. */
#ifndef SHELL_READER_H
#define SHELL_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "shell/shell_compound.h"
#include "shell/shell_text.h"

#define SHELL_MAX_DEPTH 64 /* quotes and substitutions in each other */

struct shell_reader {
	struct shell_script *out;
	enum shell_style style;
	const char *p, *end;
	const char *counted; /* up to here lines are counted */
	size_t line;	     /* of `counted` */
	size_t pending;	     /* first redirection whose here-document has not been read */
	size_t depth, low;   /* open subshells, the fewest since the last command was kept */
	bool in_case;	     /* the next ")" ends a pattern of "case" */
	struct shell_compounds compounds;
	struct error *err;
	bool failed;
	const char *fault; /* the opening that has no end */
};

/* Returns the line of a place behind all places that were asked for before. */
size_t shell_reader_line(struct shell_reader *r, const char *place);
/* Goes to the end of the line. */
void shell_reader_skip_line(struct shell_reader *r);
/* Reads the here-documents that the line before has announced. */
void shell_reader_here(struct shell_reader *r);

#endif
