/*
 * Answers of commands that are asked for facts about the host (pciconf, and on systems without the
 * right system calls ifconfig, kldstat, sysctl).  Whoever needs one asks; while an answer is
 * missing the command is wanted, the driver runs it, and everybody asks again.  So checks neither
 * wait nor know who runs their commands.
 */
#ifndef CHECK_FACTS_H
#define CHECK_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"

/* No command for facts may take longer than this. */
#define MAX_FACT_MS 5000

struct fact {
	struct words command;
	bool known;
	int status;   /* of its exit; -1: it cannot be run, was killed or took too long */
	bool missing; /* there is no such program */
	char *text;   /* its standard output, NUL-terminated, when it is known */
};

struct facts {
	struct fact **item;
	size_t count;
};

/* The answer to a command (NULL-terminated words), or NULL: it is wanted from now on. */
const struct fact *facts_ask(struct facts *facts, const char *const *command);
/* The command to run next, or NULL when everything that was asked for is known. */
const struct words *facts_wanted(const struct facts *facts);
/* The answer to facts_wanted(): text is copied, NULL stands for nothing. */
void facts_answer(struct facts *facts, int status, bool missing, const char *text);
void facts_clear(struct facts *facts);

#endif
