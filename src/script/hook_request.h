/*
 * Hook requests: what a script waits for, as lua/vmrun.lua and lua/guest.lua make them, and the
 * answers.
 *
 *	{ exec = words, timeout = seconds, stdin = text, cwd = directory, env = changes }
 *		{ status, stdout, stderr }; { message } if the command did not run to its end
 *	{ exec = words, background = true, ... }	{ ok }; the same without a timeout: no limit
 *	{ sleep = seconds }				nothing
 *	{ expect = list of { text } or { regex }, timeout = seconds }
 *		{ index, text } or { index, groups = list of texts }
 *	{ send = text, timeout = seconds }		{ ok }
 *	{ request = command, target, status }		{ ok }
 *
 * Each may be answered with { message }, the reason why not: "timeout", "gone" at the boot's end,
 * or a sentence.
 */
#ifndef SCRIPT_HOOK_REQUEST_H
#define SCRIPT_HOOK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/node.h"
#include "base/words.h"
#include "process/command.h"

/* Returns the time limit of a request. */
int64_t hook_request_timeout_ms(const struct node *request);
/* Returns whether the request is a sleep, and gets its time. */
bool hook_request_is_sleep(const struct node *request, int64_t *ms);
/*
 * Reads the command of an exec; *what points into *argv and *environment (the caller's) and into
 * the request.
 */
void hook_request_command(const struct node *request, struct words *argv, struct words *environment,
    struct command *what);
/* Returns the answer to a command that ran.  Caller frees. */
struct node *hook_request_answer(const struct command *what, const struct command_result *result);
/* Returns the answer { message }.  Caller frees. */
struct node *hook_request_refusal(const char *message);
/* Returns the answer of a dry run, which runs no command: this status, no output.  Caller frees. */
struct node *hook_request_dry_answer(int status);
/* Returns the text by which a dry run names a command that it does not run.  Caller frees. */
char *hook_request_dry_text(const struct words *argv);
/*
 * Runs the command or sleeps, and returns the answer, NULL after a sleep; refuses whatever needs a
 * VM that runs.  Caller frees.
 */
struct node *hook_request_serve(const struct node *request);

#endif
