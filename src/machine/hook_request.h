/*
 * What a script waits for, as lua/vmrun.lua asks it: { exec = words, timeout = seconds, stdin =
 * text } or { sleep = seconds }; and the answer that it gets: { status, stdout, stderr }, or
 * { message } when the command did not run to its end.
 */
#ifndef MACHINE_HOOK_REQUEST_H
#define MACHINE_HOOK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/node.h"
#include "base/words.h"
#include "platform/command.h"
#include "event/event.h"

/* Is it a sleep, and for how long. */
bool request_is_sleep(const struct node *request, int64_t *ms);
/* The command of an exec: *what points into *argv (the caller's) and the request. */
void request_command(const struct node *request, struct words *argv, struct command *what);
/* Answers. The caller frees them. */
struct node *request_answer(const struct command *what, const struct command_result *result);
struct node *request_refusal(const char *message);
/* In a dry run, where nothing starts: says so in an event. */
struct node *request_refuse_dry(const struct words *argv, struct event_queue *events);
/* Serves it here and now, for a caller who has nothing else to do; dry: as far as that starts
 * nothing and takes no time. */
struct node *request_serve(const struct node *request, bool dry, struct event_queue *events);

#endif
