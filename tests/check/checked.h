/* The checks of a spec on a host that a test makes up: answers of commands instead of commands. */
#ifndef TESTS_CHECK_CHECKED_H
#define TESTS_CHECK_CHECKED_H

#include "../hyper/planned.h"
#include "check/check.h"

/* What a command says; those that are not in the list: see checked.c. */
struct said {
	const char *command; /* "kldstat -q -m vmm"; NULL ends the list */
	int status;	     /* -1: it gives no answer */
	const char *text;
	bool missing;
};

struct checked {
	struct planned planned;
	struct facts facts;
	struct findings out;
	struct pairs before;
	struct words asked; /* the commands, a line each */
	const struct said *says;
	bool again, left_over;
	struct words ours;
	struct words theirs, taken, dropped; /* names: of other runs, of this one */
	bool alone;			     /* there are no other runs, and no names */
};

/* Skips the test, with the reason, where facts come from the kernel and not from commands. */
void checked_needs_commands(void);
/* Prepares a boot of the spec (`keys` as for planned_make()) and checks it. */
void checked_make(struct checked *c, const struct hypervisor *hyper, const char *keys);
/* Checks it once more, with facts of now. */
void checked_again(struct checked *c);
void checked_free(struct checked *c);

/* There is exactly one finding about `what`, with this text; fix and undo are NULL for none. */
const struct finding *checked_has(
    const struct checked *c, const char *what, const char *text, const char *fix, const char *undo);
/* There is none about it. */
void checked_lacks(const struct checked *c, const char *what);
/* The whole check in one call: one finding about `what`, as above. */
void checked_one(const struct said *says, const char *keys, const char *what, const char *text,
    const char *fix, const char *undo);
/* The whole check in one call: nothing about `what`. */
void checked_none(const struct said *says, const char *keys, const char *what);

#endif
