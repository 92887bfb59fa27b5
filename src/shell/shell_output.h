/* What echo, printf and cat print, for a program that reads it. */
#ifndef SHELL_OUTPUT_H
#define SHELL_OUTPUT_H

#include "shell/shell_text.h"
#include "shell/shell_values.h"

/*
 * Returns what the command prints: that of echo, printf, or cat with a here-document.  NULL: it is
 * another command.  Caller frees.
 */
char *shell_output(struct shell_values *v, const struct shell_script *script,
    const struct shell_command *command, struct shell_basis *basis);
/*
 * Returns what all commands of a group before command `behind` print, `{ echo a; echo b; } |`;
 * NULL: one of them is another command.  Caller frees.
 */
char *shell_group_output(struct shell_values *v, const struct shell_script *script, size_t behind,
    struct shell_basis *basis);

#endif
