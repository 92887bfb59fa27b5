/* What the files of the search for a bhyve command share. */
#ifndef SHELL_COMMAND_FINDER_H
#define SHELL_COMMAND_FINDER_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/command_text.h"
#include "shell/command_words.h"
#include "shell/shell_directory.h"
#include "shell/shell_function.h"
#include "shell/shell_statement.h"
#include "shell/shell_values.h"

/* A search in one text. */
struct finder {
	const char *name, *home; /* of the text, and the directory in which it lies */
	struct command_text *out;
	struct report *report;
	struct shell_values values;
	struct shell_basis basis, loader_basis; /* of the commands that were found */
	struct shell_nesting nesting;		/* around the current command */
	struct shell_directory directory;	/* in which it runs */
	struct shell_function *function;
	size_t functions, shown;     /* those before `shown` belong to another process */
	size_t forgotten;	     /* functions of the last text */
	struct shell_nesting body;   /* around the commands of the function that is being read */
	size_t body_arms;	     /* that are open around it */
	const struct place *running; /* its first command; NULL: there is none */
	size_t calls, steps;	     /* calls that run, and commands that all calls have read */
	bool looks_inside;	     /* into $(...) and `...` */
	bool has_failed;
	bool is_none;	      /* nothing was found that looks like the start of a VM */
	bool is_unterminated; /* has_failed, because a quote has no end */
	size_t index;	      /* of the bhyve command */
	size_t loops;	      /* around it that were read again */
	size_t loop_line;     /* of the one that is being read again; 0: none */
	size_t loader_arm;    /* in which the loader stands; 0: none, see shell_arms.h */
	size_t other_line, other_last_line; /* of one that differs; 0: none */
	size_t source_line;		    /* of the last file that was noted */
	size_t title_line;		    /* of a process title; 0: none */
	size_t dash_line;		    /* of a bhyve with typeset dashes; 0: none */
	size_t script_line;		    /* of FreeBSD's vmrun.sh; 0: none */
	struct words around_word;	    /* of the commands around it: a tap, "swtpm" */
	struct words around_note;	    /* what to do about each */
	struct words program_problem;	    /* a variable such as $BHYVE is not set */
	struct words alias;		    /* those of the text: NAME=VALUE */
};

/* A command of the text and what stands around it. */
struct place {
	struct shell_script *script;
	size_t index;
	const struct shell_command *command;
	struct shell_statement run;	 /* the words that run a program */
	const struct shell_basis *outer; /* of the text that this one is a part of; NULL: none */
	unsigned depth;
};

/* Refuses a text with a NUL byte and a script of csh: adds to the report, or returns false. */
bool finder_refuse(const char *text, size_t length, const char *name, struct report *report);
/* Adds to the report which line has a bhyve command that the text does not run, if one does. */
void finder_report_unrun(const char *text, size_t length, const char *name, struct report *report);
/* Ends the search with a problem; the first one counts. */
void finder_fail(struct finder *f, size_t line, const char *what);
/* Adds a note with the line, once. */
void finder_note(struct finder *f, size_t line, const char *text);
/* Keeps the bhyve command that was found first, and remembers that another one differs. */
void finder_take_bhyve(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis);
/* Keeps a loader that stands before bhyve; the last one counts. */
void finder_take_loader(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis);
/* Names where bhyve's input came from, and where the output went that vmrun passes on. */
void finder_note_streams(struct finder *f, const struct place *p);
/* Puts the variables that are set for the command alone in front of its prefix: "A=1 bhyve". */
void finder_add_environment(struct finder *f, const struct place *p, struct command_words *c);
/* Gives a shell its variables and its arguments: N=2 sh -c TEXT NAME ARGUMENT. */
void finder_enter_program(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis);
/* Adds what the values of a command rest on to `basis`; `more` may be NULL. */
void finder_add_basis(struct shell_basis *basis, const struct shell_basis *more);
/*
 * Keeps in mind what a command that runs no VM tells of the text: that the program itself is not
 * set, as in "$BHYVE -c 2", or that a script makes the bhyve command.
 */
void finder_note_program(
    struct finder *f, const struct words *w, const struct shell_basis *basis, size_t line);
/*
 * Keeps a command that prepares the VM and that keys of a spec replace, whose program is the word
 * `first`: "ifconfig bridge0 addm tap0", "swtpm socket ...".
 */
void finder_note_around(struct finder *f, const struct words *w, size_t first, size_t line);
/* Keeps the files that a command writes, for bhyve or its loader may read them. */
void finder_note_files(struct finder *f, const struct place *p);
/* Notes those of them that the bhyve command or its loader uses. */
void finder_tell_around(struct finder *f);
/* Keeps the aliases of "alias NAME=VALUE". */
void finder_note_alias(struct finder *f, const struct words *w);
/*
 * Refuses a command whose first word is an alias with bhyve in it, and notes one that is another
 * alias: the import does not read them.
 */
void finder_check_alias(struct finder *f, const struct place *p);
/*
 * Notes what the import does not follow: a file that the text runs in its own shell, which may set
 * variables, and what bash has for other names of a variable.
 */
void finder_note_unread(struct finder *f, const struct place *p);
/* Keeps a function for its calls; its level and its arm are set here. */
void finder_define(struct finder *f, const struct shell_function *function, size_t level);
/* Ends subshells with what they have set and defined, until `levels` are open. */
void finder_leave(struct finder *f, size_t levels);
/*
 * Reads the commands of a text, or of a function, from `first` to before `end`; `depth` subshells
 * stand around them.
 */
void finder_walk(
    struct finder *f, const struct place *text, size_t first, size_t end, size_t depth);
/*
 * Returns the last loop that begins from command `first` to before `end` and ends behind a command;
 * SIZE_MAX: there is none.
 */
size_t finder_loop(const struct shell_script *script, size_t first, size_t end, size_t index);
/*
 * Reads the commands of a loop again before its "done", with what they have set outside of
 * subshells of more than `levels`: bhyve and its loader may have other words in the next round.
 */
void finder_repeat(struct finder *f, const struct place *done, size_t first, size_t levels);
/* Runs the function that a command calls; returns whether it is one. */
bool finder_call(struct finder *f, const struct place *p, const struct words *w);
/* Reads "run_rc_command", which calls the functions that variables name. */
bool finder_call_rc(struct finder *f, const struct place *p, const struct words *w);
/*
 * Returns whether a command ends the function that is being read, whatever a run does.  A shell may
 * skip what is behind a command that may end it.
 */
bool finder_returns(struct finder *f, const struct place *p);
/* Reads the functions behind the first ones that no command has called, and forgets all of them. */
void finder_end_functions(struct finder *f, const struct place *text, size_t first);
/* Adds what is wrong with what was found to the report; returns 0 if nothing is, else -1. */
int finder_judge(struct finder *f);

#endif
