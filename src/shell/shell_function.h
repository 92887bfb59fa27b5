/* Where a text defines functions of a shell. */
#ifndef SHELL_FUNCTION_H
#define SHELL_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/shell_text.h"

/* A function, whose body is the commands from `first` to `last`. */
struct shell_function {
	const struct shell_word *name; /* lent by the script */
	struct shell_script *script;
	size_t first, last;
	size_t depth; /* subshells around it */
	size_t level; /* those that were open where it was defined, with the ones around the text */
	size_t arm;   /* the branch that defines it; 0: none */
	bool is_called, is_running;
	bool is_hidden; /* the subshell that defines it has ended */
};

/* Returns whether command `index` begins a function, and fills *out. */
bool shell_function_at(struct shell_script *script, size_t index, struct shell_function *out);
/* Returns whether a command of the body begins with the name of another function. */
bool shell_function_names(const struct shell_function *f, const struct shell_function *other);

#endif
