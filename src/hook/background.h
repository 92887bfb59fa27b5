/*
 * Commands that hooks start in the background: they end with their boot, by SIGTERM to the process
 * group, then SIGKILL.
 */
#ifndef HOOK_BACKGROUND_H
#define HOOK_BACKGROUND_H

#include "event/event.h"
#include "hook/command.h"

#define MAX_BACKGROUND 64 /* commands at once */

struct background {
	struct hook_command command;
	pid_t group;
	int64_t until_ms; /* its time limit, or that of SIGTERM; -1: none */
	bool ends;	  /* SIGTERM was sent */
	bool late;	  /* killed at its limit */
};

struct backgrounds {
	struct background *item[MAX_BACKGROUND]; /* NULL: the place is free */
	size_t count;
};

/*
 * Starts the command of a hook request; host->first_tag is the tag of the first place.  Fails as
 * hook_command_start() does, and when too many run.
 */
int background_start(struct backgrounds *b, const struct node *request,
    const struct hook_command_host *host, int64_t now_ms, struct error *err);
/* Reads a stream of the command at a place. */
void background_read(struct backgrounds *b, size_t place, int stream);
/* Handles the exit of a process; false: it is another's.  *trouble: how it failed, or NULL. */
bool background_ended(struct backgrounds *b, pid_t pid, char **trouble);
/* Begins to end all commands and what is left of their groups. */
void background_end(struct backgrounds *b, int64_t now_ms);
/* Gives each command that has no limit this one. */
void background_limit(struct backgrounds *b, int64_t until_ms);
/* Returns when background_wake() is due; -1: never. */
int64_t background_until_ms(const struct backgrounds *b);
/* Kills what is at its limit. */
void background_wake(struct backgrounds *b, int64_t now_ms);
/* Kills and reaps all. */
void background_close(struct backgrounds *b);

#endif
