/* The directory in which the commands of a shell run: where "cd" leads. */
#ifndef SHELL_DIRECTORY_H
#define SHELL_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"
#include "shell/shell_nesting.h"
#include "shell/shell_statement.h"
#include "shell/shell_text.h"
#include "shell/shell_values.h"

/* A directory.  All of it is lent by struct shell_directory. */
struct shell_place {
	char *path; /* absolute, or below the one in which the text begins; "": that one */
	struct words problem; /* names what the text does not set, a message with its line each */
	struct words note;    /* about variables in the path that have several values */
	char *doubt;	      /* why a shell may run in another directory; NULL: it does not */
	size_t line;
};

struct shell_directory {
	const char *text_name;	   /* "vm.sh", for messages; lent */
	struct shell_place *place; /* all places so far; the first is where the text begins */
	size_t places, now;
	struct shell_scope *scope; /* what stands open and was entered with another place */
	size_t scopes, base;	   /* those below `base` are of the texts around this one */
	size_t subshells;	   /* among the scopes above `base` */
	size_t branches, loops;	   /* among all scopes */
	bool is_lost;		   /* there are too many places, or a path is too long */
	bool is_conditional;	   /* the last "cd" stands behind "&&": it may not have run */
	const struct shell_command *body; /* "{" of a function that runs: no group to be skipped */
	size_t before, conditional; /* then the place before it, and the number of its scopes */
};

/* A text inside another, as of sh -c. */
struct shell_inner {
	size_t base, subshells, now, before, conditional;
	bool is_conditional;
	bool is_process; /* it has its own directory */
};

void shell_directory_init(struct shell_directory *d, const char *text_name);
void shell_directory_free(struct shell_directory *d);

/*
 * Enters and leaves subshells, branches, loops and functions until command `index` can run.  Call
 * this after shell_statement_open(), whose nesting it corrects where a subshell ends a branch.
 */
void shell_directory_enter(struct shell_directory *d, const struct shell_script *script,
    size_t index, struct shell_nesting *nesting);
/* Leaves subshells until `subshells` of the text are left. */
void shell_directory_leave(
    struct shell_directory *d, size_t subshells, struct shell_nesting *nesting);
/* Notes that a shell may return from the function here: it skips a "cd" behind this command. */
void shell_directory_skip(struct shell_directory *d);
/* Reads a command that changes the directory; returns whether it is one. */
bool shell_directory_read(struct shell_directory *d, struct shell_values *v,
    const struct shell_script *script, size_t index, const struct shell_statement *run);
/* Changes the directory as a program does for the one that it runs; "~" is the home directory. */
void shell_directory_change(struct shell_directory *d, const char *path, size_t line);

/* Begins a text inside the current command, and ends it. */
void shell_directory_open(struct shell_directory *d, bool is_process, struct shell_inner *inner);
void shell_directory_close(
    struct shell_directory *d, const struct shell_inner *inner, struct shell_nesting *nesting);

/* Returns the place of the current command. */
const struct shell_place *shell_directory_now(const struct shell_directory *d);
/* Returns the path as a shell has it after cd PATH in the directory.  Caller frees. */
char *shell_directory_join(const char *directory, const char *path);

#endif
