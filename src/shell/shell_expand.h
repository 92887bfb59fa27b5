/* The expansion of the words of a shell. */
#ifndef SHELL_EXPAND_H
#define SHELL_EXPAND_H

#include "base/words.h"
#include "shell/shell_text.h"
#include "shell/shell_values.h"

/* Adds the fields that an unquoted or quoted word of a command expands to. */
void shell_expand(struct shell_values *v, const struct shell_word *word, struct words *out,
    struct shell_basis *basis);
/* Returns what a word expands to where nothing is split, as in an assignment.  Caller frees. */
char *shell_expand_one(
    struct shell_values *v, const struct shell_word *word, struct shell_basis *basis);
/* Returns the text of a here-document.  Caller frees. */
char *shell_expand_here(
    struct shell_values *v, const struct shell_redirect *here, struct shell_basis *basis);
/* Returns whether a shell has a variable that the text does not set: ${HOME:-/root} is $HOME. */
bool shell_has(const char *name, size_t n);
/* Notes that the text does not set the variable whose name is n bytes long. */
void shell_miss_variable(const struct shell_values *v, const char *name, size_t n, size_t line,
    struct shell_basis *basis);

#endif
