/*
 * A command that a hook runs with vmrun.exec().  It dies with vmrun, but processes that it started
 * would live on: the ledger lists it, so that the next start ends them.
 */
#ifndef HOOK_COMMAND_H
#define HOOK_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/node.h"
#include "base/words.h"
#include "ledger/ledger.h"
#include "platform/waitset.h"
#include "process/command.h"

struct hook_command {
	struct words argv;
	struct command what;
	struct job job; /* does not run: pid 0 */
	struct ledger *ledger;
};

/* What a command needs of the loop; lent. */
struct hook_command_host {
	struct waitset *wait;
	struct ledger *ledger;
	uintptr_t first_tag; /* of its streams, COMMAND_STREAMS of them */
	uintptr_t (*end_tag)(pid_t pid);
};

/*
 * Starts the command of a hook request; output: whether its stdout is captured.  The caller
 * enforces its time limit, what.limit_ms.  Fails as command_start() does.
 */
int hook_command_start(struct hook_command *c, const struct node *request, bool output,
    const struct hook_command_host *host, struct error *err);
/* Kills a command that runs, and gives its process up: the loop reaps it. */
void hook_command_leave(struct hook_command *c);
/* Kills and reaps a command that runs, and frees everything. */
void hook_command_free(struct hook_command *c);
/* Takes a process and its group off the ledger. */
void hook_command_forget(const struct hook_command *c, pid_t pid);

#endif
