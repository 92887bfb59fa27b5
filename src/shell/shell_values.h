/* The variables that a shell script sets. */
#ifndef SHELL_VALUES_H
#define SHELL_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"
#include "shell/shell_arms.h"

/* Bytes that all variables of a text may be expanded to together: 1 MiB. */
#define MAX_SHELL_EXPANDED ((size_t)1024 * 1024)
#define MAX_SHELL_SHOWN 60 /* bytes of a value in a message */

/* What a value rests on. */
struct shell_basis {
	struct words missing; /* names of what the text does not set: "$1", "$(date)" */
	struct words problem; /* for each, a message with its line */
	struct words note;    /* about variables that the text sets to several values */
	bool is_unknown;      /* some of the missing has a value: it is more than not set */
};

struct shell_variable {
	char *name, *value;
	size_t line;
	struct shell_basis basis;
	/* What the value also rests on behind the branch or loop that sets it; arm 0: nothing. */
	struct shell_basis outside;
	size_t arm, branch, covers;	/* see struct shell_outside */
	size_t time;			/* of shell_arms_time() */
	struct shell_variable *earlier; /* what other arms see of it; NULL: it is not set */
	struct shell_variable *kept;	/* to which the end of that arm returns; NULL: nothing */
	bool is_gone;			/* it is not set in that arm */
};

struct shell_saved;
struct shell_directory;

struct shell_values {
	const char *text_name;			 /* "vm.sh", for messages; lent */
	const char *file;			 /* path of the script; NULL: stdin; lent */
	const char *home;			 /* the directory in which it lies; lent */
	const struct shell_directory *directory; /* in which a command runs; lent */
	struct shell_variable *item;
	size_t count;
	struct shell_arms arms;	   /* that are open around the current command */
	struct shell_saved *undo;  /* values before changes in subshells */
	size_t undos, levels;	   /* levels: subshells that are open */
	struct shell_saved *local; /* values to which the end of a function returns */
	size_t locals, frames;	   /* frames: functions that run */
	struct words hidden;	   /* names of which a program has no value */
	bool exports_all;	   /* set -a */
	size_t export_line;	   /* of the one that a shell may skip; 0: none */
	bool is_clean;		   /* the last program has no variables of the shell */
	size_t source_line;	   /* of the last "." or source; 0: none */
	char *source;		   /* that command */
	size_t expanded;	   /* bytes so far */
	bool too_long;		   /* they are more than MAX_SHELL_EXPANDED */
	bool too_many;		   /* variables */
	size_t limit_line;	   /* of the word that was too much */
};

/* Counts bytes that come from variables; returns whether they still fit. */
bool shell_spend(struct shell_values *v, size_t n, size_t line);

/* Returns the variable whose name is n bytes long, or NULL; it is lent until the next change. */
struct shell_variable *shell_find(const struct shell_values *v, const char *name, size_t n);
/* Likewise, or as it was before the current arm, which has unset it. */
const struct shell_variable *shell_before(const struct shell_values *v, const char *name, size_t n);
/*
 * Returns a copy of what other arms will see of a variable that is set now, and the time for it.
 * Caller gives it to the variable.
 */
struct shell_variable *shell_earlier(
    struct shell_values *v, const char *name, size_t n, size_t line, size_t *time);
void shell_earlier_free(struct shell_variable *earlier);
const struct shell_variable *shell_value(const struct shell_values *v, const char *name);
/* Adds what a value rests on, where it is used now. */
void shell_use(
    const struct shell_values *v, const struct shell_variable *used, struct shell_basis *basis);
/*
 * Gives a variable a value, which it takes with what the value rests on.  Returns the variable;
 * NULL: there are too many.
 */
struct shell_variable *shell_set(struct shell_values *v, const char *name, size_t n, size_t line,
    struct shell_basis *basis, char *value);
/*
 * Likewise for the arm of a branch or a loop alone, behind which the variable is as before, with a
 * note.  It must have been set.  The value may be NULL: it is not set in the arm.
 */
void shell_set_inside(struct shell_values *v, const struct shell_variable *before, size_t line,
    struct shell_basis *basis, char *value, const char *note);
/* Adds a note about a variable, for what takes its value. */
void shell_note(struct shell_values *v, const char *name, size_t n, const char *note);
/* Notes for each variable that a line may change it. */
void shell_note_all(struct shell_values *v, size_t line);
/* Forgets a variable, which is not set from here on. */
void shell_unset(struct shell_values *v, const char *name);

/* Enters and leaves subshells: what they change ends with them. */
void shell_values_enter(struct shell_values *v, size_t levels);
void shell_values_leave(struct shell_values *v, size_t levels);
/* Begins a function, and returns what its end is told. */
size_t shell_values_call(struct shell_values *v);
void shell_values_return(struct shell_values *v, size_t locals);
/* Exports a variable to programs, and ends that.  "export NAME" is a variable that tells of it. */
void shell_export(struct shell_values *v, const char *name, size_t n, size_t line);
const struct shell_variable *shell_exported(
    const struct shell_values *v, const char *name, size_t n);
void shell_unexport(struct shell_values *v, const char *name, size_t n);
/* Forgets a variable that a program does not have, in a subshell that has been entered. */
void shell_hide(struct shell_values *v, const char *name);
/*
 * Likewise the variables that are not exported, or all of them.
 */
void shell_values_hide(struct shell_values *v, size_t line, bool hides_all);
/* Keeps the value of a variable until the end of the function; outside of one does nothing. */
void shell_local(struct shell_values *v, const char *name, size_t n, size_t line);

/* Adds a text that the list does not have. */
void shell_add_once(struct words *w, const char *text);
/* Adds a name that the text does not set, with the message. */
void shell_add_unset(struct shell_basis *basis, const char *name, const char *problem);
/* Adds what has a value that the text does not tell, likewise. */
void shell_add_missing(struct shell_basis *basis, const char *name, const char *problem);
void shell_basis_append(struct shell_basis *basis, const struct shell_basis *more);
void shell_basis_free(struct shell_basis *basis);
void shell_values_free(struct shell_values *v);
#define SHELL_BASIS_AUTO __attribute__((cleanup(shell_basis_free)))

#endif
