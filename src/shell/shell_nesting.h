/* What stands open around a command of a shell. */
#ifndef SHELL_NESTING_H
#define SHELL_NESTING_H

#include <stdbool.h>
#include <stddef.h>

struct shell_nesting {
	size_t branches; /* "if" and "case" */
	size_t loops;	 /* "for", "while" and "until" */
	size_t braces;	 /* "{" */
	bool is_arm;	 /* the command begins another arm of its branch */
	bool is_if;	 /* it begins the condition of an "if", which a shell always runs */
	bool is_then;	 /* it begins what stands behind a condition */
};

#endif
