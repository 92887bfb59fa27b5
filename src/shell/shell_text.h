/*
 * A text as a POSIX shell reads it: simple commands with their words, which are not expanded yet,
 * and their redirections.  Compound commands are flat: "if", "{" and "done" are words.
 */
#ifndef SHELL_TEXT_H
#define SHELL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/words.h"

/* A piece of the text with its quotes. */
struct shell_word {
	const char *text; /* lent by the script */
	size_t length;
	size_t line;
};

enum shell_redirect_kind {
	SHELL_IN,   /* < file */
	SHELL_OUT,  /* > file, >> file, &> file */
	SHELL_HERE, /* << end: target is the text; <<< word: target is the word */
	SHELL_DUP,  /* 2>&1 */
};

struct shell_redirect {
	enum shell_redirect_kind kind;
	bool is_string;	 /* <<< word */
	bool is_literal; /* the end of a here-document has quotes, so nothing in it is expanded */
	bool has_tabs;	 /* <<-: tabs in front of its lines are removed */
	struct shell_word target;
};

/* A "\" that does not join the next line to the command, although it looks so. */
enum shell_break {
	BREAK_NONE,
	BREAK_BLANK,  /* a blank stands behind it */
	BREAK_DOUBLE, /* it is two of them */
};

struct shell_command {
	size_t word, words;	    /* index of the first word, and their number */
	size_t redirect, redirects; /* likewise */
	size_t line, last_line;
	size_t depth;	/* subshells around it, and processes such as the parts of a pipe */
	size_t outside; /* those of them around its reserved words, "if" or "{" */
	size_t low;	/* the fewest that were open since the command before it */
	size_t opened, opened_inside, closed; /* processes that begin with it, or end behind it */
	size_t close;	     /* of a "{" at its start: index of the command with its "}"; 0: none */
	size_t done;	     /* of a loop that it begins, likewise that with its "done" */
	bool is_first;	     /* behind a "(" */
	bool is_pattern;     /* of "case": its ")" begins an arm */
	bool has_apostrophe; /* of prose, which a shell would take for a quote */
	enum shell_break line_break;
	size_t break_line; /* of the first one */
	char end[3];	   /* operator behind it: "|", "&&", ";", "(", ")|", "\n" ... */
};

struct shell_script {
	char *text; /* owned: the text without carriage returns at line ends */
	size_t length;
	struct shell_word *word; /* not NULL, even if there are none */
	size_t words;
	struct shell_redirect *redirect;
	size_t redirects;
	struct shell_command *command;
	size_t commands;
	struct words faults; /* of prose: what is unterminated, with the line in front */
};

/* How a text is read. */
enum shell_style {
	SHELL_COMMENTS,	    /* "#" at the start of a word begins a comment */
	SHELL_ROOT_PROMPTS, /* likewise, but "#" before a command with bhyve, or cd, is a prompt */
	/*
	 * Both again for a text of people: an apostrophe behind a letter is text, and a line with
	 * a quote that has no end is left out.
	 */
	SHELL_PROSE,
	SHELL_PROSE_PROMPTS,
};

/*
 * Reads a text whose first line has the number `line`.  Returns 0, or -1 with the reason in *err,
 * which begins with the number of the line; the caller frees *out in both cases.
 */
int shell_read(const char *text, size_t length, size_t line, enum shell_style style,
    struct shell_script *out, struct error *err);
void shell_free(struct shell_script *script);

/*
 * Returns the end of what an opening encloses: p is behind a `'`, `"`, "`", "$(" or "${" that
 * `close` ends.  `quoted`: it stands in "", where `'` is text.  NULL: it has no end, or too many
 * levels.
 */
const char *shell_skip(const char *p, const char *end, char close, bool quoted);
/* Returns whether a word has this text, without quotes. */
bool shell_is(const struct shell_word *word, const char *text);
/* Returns the length of a variable's name at the start of n bytes; 0: there is none. */
size_t shell_name_length(const char *text, size_t n);
/* Returns the text without the tabs in front of its lines.  Caller frees. */
char *shell_without_tabs(const char *text);

#endif
