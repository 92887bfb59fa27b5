/* Finds the one bhyve command in any text: a script, what ps shows, a page with a prompt. */
#ifndef SHELL_COMMAND_TEXT_H
#define SHELL_COMMAND_TEXT_H

#include <stddef.h>

#include "base/report.h"
#include "base/words.h"

/* The directory in which a command runs. */
struct command_place {
	char *path; /* absolute, or below the directory of the text; "" or NULL: that one */
	struct words problem; /* what the text does not tell of it, a message each */
	struct words note;    /* that a branch of the text may change it */
};

/* A bhyve command that was found in a text, and what stood around it. */
struct command_text {
	const char *name;  /* of the text, lent */
	struct words argv; /* words of the bhyve command, argv[0] is the program as written */
	struct command_place place, loader_place;
	size_t line, last_line; /* lines of the text in which it begins and ends */
	struct words prefix;	/* words of nice, cpuset, setfib and the like in front of it */
	struct words loader;	/* words of bhyveload or grub-bhyve before it; empty: none */
	size_t loader_line;
	char *loader_input; /* text that the loader reads on stdin; NULL: none */
	struct words notes; /* what was left out, with what to do instead, a line each */
};

/* Where a text comes from. */
struct text_origin {
	const char *name;      /* its file, in messages, too: "vm.sh"; "<stdin>" has none */
	const char *directory; /* in which the file lies, absolute */
};

/*
 * Finds the bhyve command.  Returns 0, or
 * -1 after adding to the report (STATUS_SPEC); the caller frees *out in both cases.
 */
int command_text_read(const char *text, size_t length, const struct text_origin *origin,
    struct command_text *out, struct report *report);
void command_text_free(struct command_text *c);

#endif
