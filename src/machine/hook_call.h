/*
 * Hook calls: the functions of a hook run one after another.  A function that waits for a command
 * or a time waits in the loop of the machine, which goes on meanwhile; one that computes is left
 * every 10 ms, and continues after a turn of the loop.
 */
#ifndef MACHINE_HOOK_CALL_H
#define MACHINE_HOOK_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/node.h"
#include "base/words.h"
#include "process/command.h"
#include "script/script.h"
#include "spec/spec.h"

struct machine;

/* A hook, and the functions that make its argument and use its answers. */
struct hook_functions {
	const char *hook; /* "on_exit" */
	/* Returns the argument for the next function; the caller owns it. */
	struct node *(*argument)(const struct machine *m);
	/*
	 * Handles an answer other than nil (lent).  Returns true when the next function runs, too.
	 */
	bool (*on_answer)(struct machine *m, const char *label, struct node *answer);
	/*
	 * Handles a function that failed, or a list of functions that could not be made (the label
	 * is the hook's name then).  Returns true when the next function runs.  NULL: the failure
	 * is reported, and the next function runs.
	 */
	bool (*on_failure)(struct machine *m, const char *label, struct error *err);
};

struct hook_call {
	const struct hook_functions *what; /* NULL: no call is in progress */
	struct node *labels;		   /* of the functions, in order */
	const struct node *label;	   /* of the function that runs */
	size_t index;			   /* of that function, from 1 */
	struct script_task *task; /* the function that waits or computes; NULL: none does */
	bool computes;		  /* the task was left at the end of a slice */
	int64_t until_ms;	  /* end of the sleep or slice, or the command's time limit */
	struct node *answer;	  /* to the hook request, where it is known before the wait ends */
	struct words argv;	  /* words of the command */
	struct command command;
	struct job job; /* its command while that runs */
	bool late;	/* the command timed out and was killed */
	bool ended;	/* EVENT_HOOK_ENDED is due */
};

/*
 * Starts a call of the hook's functions in this spec, which is the one that was merged last.  Its
 * end is EVENT_HOOK_ENDED, also when no function waits.  Ends a call that is in progress.
 */
void hook_call_begin(struct machine *m, const struct hook_functions *what, const struct spec *spec);
/* Reports that a function failed, with its error and traceback. */
void hook_call_say_failure(struct machine *m, const char *label, const struct error *err);
/* Handles the end of a sleep, the next slice, or the time limit of a command. */
void hook_call_wake(struct machine *m);
void hook_call_read(struct machine *m, int stream);
/* Handles the exit of the command; returns false when the pid is another process's. */
bool hook_call_command_ended(struct machine *m, pid_t pid);
/* Ends the call without EVENT_HOOK_ENDED. */
void hook_call_abandon(struct machine *m);
/* Ends the call and reaps its command, where no loop follows that would. */
void hook_call_end(struct machine *m);

#endif
