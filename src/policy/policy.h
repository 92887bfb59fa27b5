/* Decides what follows the end of a boot, and the exit status of vmrun.  Pure. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/node.h"
#include "hyper/hyper.h"
#include "spec/spec.h"

#define GIVEN_UP_LEAST_DELAY_MS 1000 /* before a boot that on.given_up repeats for ever */

/* What decides, in the words of vmrun(8), where a request does. */
#define BY_NEXT_REQUEST "the next request"
#define BY_REBOOT_REQUEST "the reboot request"

/* Options of the command line, which override the spec. */
struct policy_options {
	bool no_reboot;
	int64_t reboot_count; /* automatic boots allowed; negative: no limit */
	struct reboot_list reboot_on;
};

struct policy_question {
	const struct policy_options *options;
	const struct spec *spec; /* of the boot that ended */
	const char *target;	 /* the target of that boot */
	const struct outcome *outcome;
	int64_t automatic_boots; /* made so far */
	bool stop_requested;
	const char *reboot_to;	   /* target of a reboot request, "": the next; NULL: no request */
	bool reboot_is_automatic;  /* a hook has requested it */
	const char *once;	   /* target of a request for the next boot, or NULL */
	const struct node *answer; /* of the first hook that decided, or NULL */
	const char *hook;	   /* label of that hook */
	int64_t given_up_boots;	   /* that on.given_up has decided so far */
};

struct decision {
	bool boot;
	bool wait;		/* do not boot, but wait for a reset */
	bool by_next;		/* the target is the spec's next_target */
	char *target;		/* owned; set when boot */
	int64_t delay_ms;	/* set by a hook or `on`; -1: by the backoff */
	int64_t least_delay_ms; /* whatever the delay is */
	int status;		/* set by vmrun.stop(N); -1: by the cause */
	char *by;		/* owned: what decided, in the words of vmrun(8) */
};

/* Decides whether vmrun boots again, which target, and after which delay. */
void policy_decide(const struct policy_question *q, struct decision *out);
/* Returns "boot", "wait" or "stop". */
const char *decision_action(const struct decision *d);
/* Frees what the decision owns and zeroes it. */
void decision_clear(struct decision *d);
#define DECISION_AUTO __attribute__((cleanup(decision_clear)))
/* Returns the exit status of vmrun after this outcome, as vmrun(8) documents. */
int policy_exit_status(const struct outcome *outcome, int exec_status);

#endif
