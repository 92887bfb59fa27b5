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
	size_t covers; /* arms of the branch, from the first on, that all set this value */
};

void shell_outside_free(struct shell_outside *outside);
#define SHELL_OUTSIDE_AUTO __attribute__((cleanup(shell_outside_free)))

/*
 * Returns the length of the name if the word is an assignment, NAME=value or NAME+=value; else 0.
 */
size_t shell_assignment(const struct shell_word *word);
/* Returns the length of the name if the word sets an element, NAME[1]=value; else 0. */
size_t shell_element(const struct shell_word *word);
/*
 * Gives the variable whose name is the first n bytes of the word a value, which it takes with what
 * the value rests on, and adds what is to be told behind a branch.
 */
void shell_put(struct shell_values *v, const struct shell_word *word, size_t n,
    struct shell_basis *basis, char *value);
/*
 * Forgets the value of a variable, because the text does not tell it from here on.  Where a shell
 * may skip this line, shell_lose() keeps the value with a note.
 */
void shell_forget(struct shell_values *v, const char *name, size_t n, size_t line);
void shell_lose(struct shell_values *v, const char *name, size_t n, size_t line);
/* Likewise for the variables that n bytes of arithmetic name, as it may change them: N++, N+=1. */
void shell_lose_names(struct shell_values *v, const char *text, size_t n, size_t line);
/* Forgets a variable or a list that is unset here, or keeps it with a note. */
void shell_unset_list(struct shell_values *v, const char *name, size_t n, size_t line);
/* Sets variables and elements as the assignments of one command say, which have no program. */
void shell_assign_line(struct shell_values *v, const struct shell_word *word, size_t count);
/* Likewise for those of "export" and "local", which a shell expands before it sets any. */
void shell_assign_all(struct shell_values *v, const struct shell_word *word, size_t count);
/* Exports the variables of "export" and "declare -x", or ends that: "export -n", "declare +x". */
void shell_read_exports(struct shell_values *v, const struct shell_word *word, size_t words);
/*
 * Returns whether an assignment may set another value each time, A="$A x"; the name has n bytes.
 */
bool shell_refers(const struct shell_word *word, size_t n);
/* Fills what a list that is set here rests on where its branch or loop has ended. */
void shell_outside_list(struct shell_values *v, const char *name, size_t n, size_t line,
    bool refers, struct shell_outside *outside);

#endif
