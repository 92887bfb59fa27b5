/* The branches, loops and "&&" that are open around a command: which of them a shell may skip. */
#ifndef SHELL_ARMS_H
#define SHELL_ARMS_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/shell_nesting.h"

struct shell_arm;

struct shell_arms {
	struct shell_arm *arm; /* the outermost first */
	size_t count;
	size_t last;   /* the number of the last arm */
	size_t joined; /* the arm behind "&&" or "||" in which the command stands; 0: none */
};

/* What a command adds to its nesting. */
struct shell_step {
	bool is_joined; /* it stands behind "&&" or "||" */
	bool is_or;	/* behind "||" */
	bool is_group;	/* and begins with "{" */
	bool is_last;	/* it begins an arm that a shell takes if it takes no other one */
	bool is_once;	/* it begins a loop that runs once */
	bool is_next;	/* it begins an arm that a shell may run after the one before it */
};

/* Opens and closes arms until the command can run. */
void shell_arms_enter(
    struct shell_arms *a, const struct shell_nesting *nesting, const struct shell_step *step);
/* Returns the number of the innermost arm that a shell may skip; 0: there is none. */
size_t shell_arms_now(const struct shell_arms *a);
/* Returns whether there is one that a shell may skip without a return from the function. */
bool shell_arms_fork(const struct shell_arms *a);
/* The branch, an "if" or "case", of that arm; number 0: it has none, as behind "&&". */
struct shell_branch {
	size_t number;
	size_t arm;    /* which of its arms, from 1 on */
	bool is_last;  /* a shell takes this arm if it takes no other one */
	bool is_alone; /* a shell may skip nothing around it */
};

struct shell_branch shell_arms_branch(const struct shell_arms *a);
/* Returns the number of the innermost loop that may run more than once; 0: there is none. */
size_t shell_arms_loop(const struct shell_arms *a);
/*
 * Returns when a value is set that other arms of a branch do not see, and where the innermost such
 * arm began; 0: all arms see it, as they do what a condition sets.
 */
size_t shell_arms_time(const struct shell_arms *a, size_t *begin);
/* Returns whether what was set at that time is of another arm of a branch that stands open. */
bool shell_arms_hide(const struct shell_arms *a, size_t time);
bool shell_arms_have(const struct shell_arms *a, size_t number);
/* Returns where the command stands, for messages: "in a branch". */
const char *shell_arms_where(const struct shell_arms *a);
/* Opens an arm outside of those from `base` on, because a shell may return before its commands. */
void shell_arms_skip(struct shell_arms *a, size_t base);
/* Notes that a shell may leave the innermost loop here: a branch if it has one value. */
void shell_arms_break(struct shell_arms *a);
/* Closes the arms of a function, which are those from `base` on. */
void shell_arms_return(struct shell_arms *a, size_t base);
void shell_arms_free(struct shell_arms *a);

#endif
