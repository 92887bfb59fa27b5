/*
 * What a script waits for, as lua/vmrun.lua asks it: { exec = words, timeout = seconds, stdin =
 * text } or { sleep = seconds }; and the answer that it gets: { status, stdout, stderr }, or
 * { message } when the command did not run to its end.
 */
#ifndef SCRIPT_HOOK_REQUEST_H
#define SCRIPT_HOOK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/node.h"
#include "base/words.h"
#include "process/command.h"

/* Tells whether the request is a sleep, and its time. */
bool hook_request_is_sleep(const struct node *request, int64_t *ms);
/* Reads the command of an exec; *what points into *argv (the caller's) and into the request. */
void hook_request_command(const struct node *request, struct words *argv, struct command *what);
/* Return answers, which the caller frees. */
struct node *hook_request_answer(const struct command *what, const struct command_result *result);
struct node *hook_request_refusal(const char *message);
/* Returns what a dry run says in place of running the command. The caller frees it. */
char *hook_request_dry_text(const struct words *argv);
/* Runs the request and blocks until it is done. */
struct node *hook_request_serve(const struct node *request);

#endif
