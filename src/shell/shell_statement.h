/* What a shell does before it runs a program: words such as "if", and assignments. */
#ifndef SHELL_STATEMENT_H
#define SHELL_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/shell_text.h"
#include "shell/shell_values.h"

/* The words of a command that name a program and its arguments. */
struct shell_statement {
	const struct shell_word *word;
	size_t words;
	size_t assignments; /* words in front of them that set variables for the program */
};

/* What stands open around a command. */
struct shell_nesting {
	size_t branches; /* "if" and "case" */
	size_t loops;	 /* "for", "while" and "until" */
	size_t braces;	 /* "{" */
	bool is_arm;	 /* the command begins another arm of its branch */
};

/*
 * Reads a command: sets the variables that it sets, counts what stands open around the next one,
 * and fills *out.  Returns whether a program is left to run.
 */
bool shell_statement_read(struct shell_values *v, struct shell_nesting *nesting,
    struct shell_script *script, size_t index, struct shell_statement *out);

#endif
