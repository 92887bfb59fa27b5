/* Arithmetic of a shell: $((5900 + id)). */
#ifndef SHELL_NUMBER_H
#define SHELL_NUMBER_H

#include "shell/shell_values.h"

/*
 * Returns the value of an expression in which $NAME has been expanded, as text.  NULL: vmrun does
 * not know its operators, or a variable has no number.  Caller frees.
 */
char *shell_number(
    const struct shell_values *v, const char *text, size_t line, struct shell_basis *basis);

#endif
