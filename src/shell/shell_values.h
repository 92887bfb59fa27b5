/* The variables that a shell script sets, and the expansion of its words. */
#ifndef SHELL_VALUES_H
#define SHELL_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"
#include "shell/shell_text.h"

/* Bytes that all variables of a text may be expanded to together: 1 MiB. */
#define MAX_SHELL_EXPANDED ((size_t)1024 * 1024)

/* What a value rests on. */
struct shell_basis {
	struct words missing; /* names of what the text does not set: "$1", "$(date)" */
	struct words problem; /* for each, a message with its line */
	struct words note;    /* about variables that the text sets to several values */
};

struct shell_variable {
	char *name, *value;
	size_t line;
	struct shell_basis basis;
};

struct shell_values {
	const char *text_name; /* "vm.sh", for messages; lent */
	struct shell_variable *item;
	size_t count;
	size_t expanded;   /* bytes so far */
	bool too_long;	   /* they are more than MAX_SHELL_EXPANDED */
	bool too_many;	   /* variables */
	size_t limit_line; /* of the word that was too much */
};

/* Adds the fields that an unquoted or quoted word of a command expands to. */
void shell_expand(struct shell_values *v, const struct shell_word *word, struct words *out,
    struct shell_basis *basis);
/* Returns what a word expands to where nothing is split, as in an assignment.  Caller frees. */
char *shell_expand_one(
    struct shell_values *v, const struct shell_word *word, struct shell_basis *basis);
/* Returns the text of a here-document.  Caller frees. */
char *shell_expand_here(
    struct shell_values *v, const struct shell_redirect *here, struct shell_basis *basis);

/*
 * Returns the length of the name if the word is an assignment, NAME=value or NAME+=value; else 0.
 */
size_t shell_assignment(const struct shell_word *word);
/*
 * Sets a variable as an assignment says.  `in_branch`: a shell may skip it, so that another value
 * of the variable before it is worth a note.
 */
void shell_assign(struct shell_values *v, const struct shell_word *word, bool in_branch);
/* Adds a note about a variable, for what takes its value. */
void shell_note(struct shell_values *v, const char *name, size_t n, const char *note);
/* Forgets a variable, because the text does not tell its value from here on. */
void shell_unset(struct shell_values *v, const char *name);
/* Returns the variable, or NULL. */
const struct shell_variable *shell_value(const struct shell_values *v, const char *name);

void shell_basis_free(struct shell_basis *basis);
void shell_values_free(struct shell_values *v);
#define SHELL_BASIS_AUTO __attribute__((cleanup(shell_basis_free)))

#endif
