/* Who decides what happens after a boot ended, and what vmrun's own status is at the end. Pure. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/node.h"
#include "hyper/hyper.h"
#include "spec/spec.h"

/* What stands above the spec: the command line. */
struct policy_options {
	bool no_reboot;
	int64_t reboot_count; /* automatic boots allowed; negative: no limit */
	struct reboot_list reboot_on;
};

struct policy_question {
	const struct policy_options *options;
	const struct spec *spec; /* of the boot that ended */
	const char *target;	 /* that it booted */
	const struct outcome *outcome;
	int64_t automatic_boots; /* made so far */
	bool stop_requested;
	const char *reboot_to; /* somebody asked for a reboot: of this target; NULL: nobody did */
	const char *once;      /* somebody asked for this target at the next boot, or NULL */
	const struct node *answer; /* of the first hook that had an opinion, or NULL */
	const char *hook;	   /* its label */
	bool was_given_up;	   /* on.given_up has booted its target: it does so once */
};

struct decision {
	bool boot;
	bool wait;	  /* do not boot, but stay: for somebody who resets it */
	bool by_next;	  /* the target is the spec's next_target */
	char *target;	  /* owned; set when boot */
	int64_t delay_ms; /* asked for by a hook or `on`; -1: by the backoff */
	int status;	  /* asked for by vmrun.stop(N); -1: by the cause */
	char *by;	  /* owned: who decided, for people */
};

void policy_decide(const struct policy_question *q, struct decision *out);
/* "boot", "wait" or "stop". */
const char *decision_action(const struct decision *d);
/* "restart_limit: 5 boots within 30 s". Caller frees. */
char *policy_limit_text(const struct restart_limit *limit);
void decision_clear(struct decision *d);
/* vmrun's exit status after this outcome (contract of exit statuses in vmrun(8)). */
int policy_exit_status(const struct outcome *outcome, int exec_status);

#endif
