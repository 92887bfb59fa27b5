/* Assignments of a shell, and what is to be told of those that a shell may skip or repeat. */
#ifndef SHELL_ASSIGN_H
#define SHELL_ASSIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/shell_text.h"
#include "shell/shell_values.h"

/* What a value rests on where the branch or loop that sets it has ended. */
struct shell_outside {
	struct shell_basis basis;
	size_t arm, branch;
};

void shell_outside_free(struct shell_outside *outside);
#define SHELL_OUTSIDE_AUTO __attribute__((cleanup(shell_outside_free)))

/*
 * Returns the length of the name if the word is an assignment, NAME=value or NAME+=value; else 0.
 */
size_t shell_assignment(const struct shell_word *word);
/* Returns the length of the name if the word sets an element, NAME[1]=value; else 0. */
size_t shell_element(const struct shell_word *word);
/* Sets a variable as an assignment says. */
void shell_assign(struct shell_values *v, const struct shell_word *word);
/*
 * Returns whether an assignment may set another value each time, A="$A x"; the name has n bytes.
 */
bool shell_refers(const struct shell_word *word, size_t n);
/* Fills what a list that is set here rests on where its branch or loop has ended. */
void shell_outside_list(struct shell_values *v, const char *name, size_t n, size_t line,
    bool refers, struct shell_outside *outside);

#endif
