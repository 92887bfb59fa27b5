/* Which program the words of a command run: sudo, daemon, nice and the like run others. */
#ifndef SHELL_COMMAND_WORDS_H
#define SHELL_COMMAND_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"
#include "shell/shell_text.h"

enum command_kind {
	COMMAND_OTHER,
	COMMAND_BHYVE,
	COMMAND_LOADER, /* bhyveload or grub-bhyve */
	COMMAND_TEXT,	/* a shell that runs the word, or all words from it on (eval) */
	COMMAND_TITLE,	/* "bhyve: web": a process title in ps */
};

struct command_words {
	enum command_kind kind;
	size_t first;	 /* index of the program, or of the text */
	bool has_joined; /* the text is all words from the first on */
	struct words prefix;
	struct words directories; /* to which programs before it change in turn; "~": the home */
	struct words unset;	  /* variables that env -u takes from it */
	bool is_clean;		  /* it has no variables of the shell, as behind sudo */
	struct words notes;	  /* what was left out, without a place */
};

/*
 * Returns how many words before a command are a prompt: "#", "$", "root@host:~ #", "[a@b ~]$", or
 * the date of a log in brackets.
 */
size_t command_prompt(const struct shell_word *word, size_t count);
/* Returns whether a word is a program, with or without its directory. */
bool command_is_program(const char *word, const char *name);
/* Returns whether a word begins with a dash that is not that of options: one of a typeset page. */
bool command_has_dash(const char *word);
/* Finds the program; the caller frees what *out has. */
void command_words_find(const struct words *w, struct command_words *out);
void command_words_free(struct command_words *c);

#endif
