/* What the files of the search for a bhyve command share. */
#ifndef SHELL_COMMAND_FINDER_H
#define SHELL_COMMAND_FINDER_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/command_text.h"
#include "shell/shell_directory.h"
#include "shell/shell_statement.h"
#include "shell/shell_values.h"

/* A search in one text. */
struct finder {
	const char *name;
	struct command_text *out;
	struct report *report;
	struct shell_values values;
	struct shell_basis basis, loader_basis; /* of the commands that were found */
	struct shell_nesting nesting;		/* around the current command */
	struct shell_directory directory;	/* in which it runs */
	bool has_failed;
	size_t last_line;		    /* of the bhyve command */
	size_t other_line, other_last_line; /* of one that differs; 0: none */
	size_t title_line;		    /* of a process title; 0: none */
	struct words program_problem;	    /* a variable such as $BHYVE is not set */
};

/* Ends the search with a problem; the first one counts. */
void finder_fail(struct finder *f, size_t line, const char *what);
/* Adds a note with the line, once. */
void finder_note(struct finder *f, size_t line, const char *text);
/* Adds what the values of a command rest on to `basis`; `more` may be NULL. */
void finder_add_basis(struct shell_basis *basis, const struct shell_basis *more);
/* Keeps in mind that the program itself is not set: "$BHYVE -c 2", "$(which bhyve) -c 2". */
void finder_note_program(struct finder *f, const struct words *w, const struct shell_basis *basis);
/* Adds what is wrong with what was found to the report; returns 0 if nothing is, else -1. */
int finder_judge(struct finder *f);

#endif
