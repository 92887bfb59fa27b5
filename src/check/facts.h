/*
 * Facts about the host that commands print: pciconf, and where system calls are missing also
 * ifconfig, kldstat and sysctl.  A check asks for a fact.  If the fact is not known yet, the caller
 * of the checks runs the command and repeats all checks, so no check waits or runs a command.
 */
#ifndef CHECK_FACTS_H
#define CHECK_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"

/* Time limit of a command that prints a fact. */
#define MAX_FACT_MS 5000

struct fact {
	struct words command;
	bool known;
	int status;    /* exit status; -1: the command cannot be run, was killed or timed out */
	bool missing;  /* the program does not exist */
	char *trouble; /* why the command failed: "cannot start kldstat: ..."; NULL: unknown */
	char *text;    /* its standard output, NUL-terminated, when it is known */
};

struct facts {
	struct fact **item;
	size_t count;
};

/*
 * Returns the output of a command (NULL-terminated words).  Returns NULL if it is not known, and
 * marks it as wanted.
 */
const struct fact *facts_ask(struct facts *facts, const char *const *command);
/* Returns the command to run next, or NULL if nothing is wanted. */
const struct words *facts_wanted(const struct facts *facts);
/* Stores the result of the command of facts_wanted(); copies the text, which may be NULL. */
void facts_store(struct facts *facts, int status, bool missing, const char *text);
/* Stores that this command gave no answer, and why (copied). */
void facts_fail(struct facts *facts, const char *trouble);
/* Frees all facts and zeroes the list. */
void facts_clear(struct facts *facts);

#endif
