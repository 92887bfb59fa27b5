/*
 * Compound commands, and-or lists and pipes of a shell: which commands run in a process of their
 * own without a "(", so that their "cd" ends with them.
 */
#ifndef SHELL_COMPOUND_H
#define SHELL_COMPOUND_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/shell_text.h"

/* What is open at the end of the text so far. */
struct shell_compounds {
	struct shell_frame *frame; /* the outermost first */
	size_t frames;
};

void shell_compounds_init(struct shell_compounds *s);
void shell_compounds_free(struct shell_compounds *s);

/* Reads the reserved words of the last command of the script. */
void shell_compounds_read(struct shell_compounds *s, struct shell_script *script);
/*
 * Reads the operator of n bytes behind the last command, or behind an earlier operator.
 * `parentheses`: 1 if the operator opens a subshell, -1 if it closes one, else 0.
 */
void shell_compounds_operator(struct shell_compounds *s, struct shell_script *script,
    const char *operator, size_t n, int parentheses);
/* Adds the processes that were found to the subshells of the commands. */
void shell_compounds_count(struct shell_script *script);

#endif
