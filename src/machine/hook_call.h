/*
 * Asking the hooks of a spec: its functions one after another.  A function that waits, for a
 * command or a time, waits in the loop of the machine; everything else goes on meanwhile.
 */
#ifndef MACHINE_HOOK_CALL_H
#define MACHINE_HOOK_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/node.h"
#include "base/words.h"
#include "platform/command.h"
#include "script/script.h"
#include "spec/spec.h"

struct machine;

/* What hooks are asked, and who hears the answers. */
struct question {
	const char *hook; /* "on_exit" */
	/* The argument for the next function: owned by who asks. */
	struct node *(*facts)(const struct machine *m);
	/* An answer other than nil (lent).  True: the next function is asked as well. */
	bool (*hear)(struct machine *m, const char *label, struct node *answer);
	/*
	 * A function failed, or the list of functions could not be made (the label is then the
	 * hook's name).  True: the next one is asked.  NULL: the failure is told, and the next one
	 * is asked.
	 */
	bool (*fail)(struct machine *m, const char *label, struct error *err);
};

struct hook_call {
	const struct question *what; /* NULL: nobody is asked */
	struct node *labels;	     /* of the functions, in order */
	const struct node *label;    /* of the one that is asked now */
	size_t index;		     /* of it, from 1 */
	struct script_task *task;    /* it waits: */
	int64_t until_ms;	     /* until then at most, */
	struct node *answer;	     /* for this, if that is known already, */
	struct words argv;	     /* or for this command */
	struct command command;
	struct running running;
	bool late;  /* it was killed */
	bool ended; /* all that were to be asked have been, and the machine does not know yet */
};

/*
 * Asks those of this spec, which is the one that was merged last.  The end is
 * EVENT_ANSWERED, also when no function waits.  Who is being asked at that time is not asked on.
 */
void hook_call_begin(struct machine *m, const struct question *question, const struct spec *spec);
/* Tells that a function failed: the event has its error and traceback. */
void hook_call_say_failure(struct machine *m, const char *label, const struct error *err);
/* Its time has come: the answer goes in, or the command has had its time. */
void hook_call_wake(struct machine *m);
void hook_call_read(struct machine *m, int stream);
/* The command of that pid has ended; false when it is not the one that is waited for. */
bool hook_call_command_ended(struct machine *m, pid_t pid);
/* Ends whoever waits, and asks nobody else: there is no EVENT_ANSWERED. */
void hook_call_abandon(struct machine *m);
/* The same where no loop follows in which its command could be reaped. */
void hook_call_end(struct machine *m);

#endif
