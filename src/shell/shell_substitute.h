/* What $(...) prints, where the text tells it. */
#ifndef SHELL_SUBSTITUTE_H
#define SHELL_SUBSTITUTE_H

#include <stddef.h>

#include "shell/shell_values.h"

/*
 * Returns what the commands of n bytes print, without newlines at its end: dirname, basename,
 * realpath, pwd, echo, printf.  NULL: they are others.  Caller frees.
 */
char *shell_substitute(
    struct shell_values *v, const char *text, size_t n, size_t line, struct shell_basis *basis);
/* Returns the directory in which the current command runs; NULL: it is not known.  Caller frees. */
char *shell_working_directory(const struct shell_values *v, struct shell_basis *basis);
/* Sets $0, whose directory is known also where the text has no file. */
void shell_set_file(struct shell_values *v);
/* Drops that $0 is missing, if it is the only thing: its directory is known. */
void shell_forget_file(const struct shell_values *v, struct shell_basis *basis);

#endif
