/* What a shell does before it runs a program: words such as "if", and assignments. */
#ifndef SHELL_STATEMENT_H
#define SHELL_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/shell_arms.h"
#include "shell/shell_nesting.h"
#include "shell/shell_text.h"
#include "shell/shell_values.h"

/* The words of a command that name a program and its arguments. */
struct shell_statement {
	const struct shell_word *word;
	size_t words;
	size_t assignments; /* words in front of them that set variables for the program */
};

/* Counts what stands open around a command, and finds the words behind "if" and the like. */
void shell_statement_open(struct shell_nesting *nesting, struct shell_script *script, size_t index,
    struct shell_statement *out, struct shell_step *step);
/*
 * Sets the variables that the command sets, once what stands around it has been entered.  Returns
 * whether a program is left to run.
 */
bool shell_statement_read(struct shell_values *v, struct shell_statement *s);

#endif
