/*
 * One try of a probe, in the loop of the caller: a TCP connection that may have to send a text, or
 * a command that has to end with status 0.  At most 10 s; what the guest sends or the command
 * prints reaches the user only as a part of one line.
 */
#ifndef GUEST_ATTEMPT_H
#define GUEST_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/search.h"
#include "base/str.h"
#include "process/job.h"
#include "spec/spec.h"

#define MAX_ATTEMPT_MS 10000
#define MAX_ATTEMPT_KILL_MS 1000 /* for a killed command to exit: it may hang in the kernel */
#define MAX_ATTEMPT_BYTES 65536	 /* that a server may send before the text */
#define MAX_ATTEMPT_QUOTE 200	 /* bytes of foreign text in a message */

enum attempt_state {
	ATTEMPT_IDLE,
	ATTEMPT_CONNECTS,
	ATTEMPT_READS,
	ATTEMPT_RUNS,	/* the command */
	ATTEMPT_KILLED, /* the command was killed, and has not ended yet */
	ATTEMPT_SUCCEEDED,
	ATTEMPT_FAILED, /* see why */
};

/* How the caller's loop knows a try. */
struct attempt_loop {
	struct waitset *wait;		 /* lent */
	uintptr_t tag;			 /* of the connection, or the command's stderr */
	uintptr_t (*end_tag)(pid_t pid); /* of the command's end */
	const char *directory;		 /* absolute: the command's; lent */
};

/* A zeroed struct is idle. */
struct attempt {
	enum attempt_state state;
	const struct probe *probe; /* lent while it runs */
	struct waitset *wait;
	uintptr_t tag;
	int64_t until_ms; /* when attempt_late() has to be called */
	int fd;		  /* of the connection */
	size_t bytes;	  /* read so far */
	struct search text;
	struct job job;
	char *why; /* it failed, in one line */
};

/* Begins a try of a connect or exec probe; it may end at once. */
void attempt_begin(
    struct attempt *a, const struct probe *probe, const struct attempt_loop *loop, int64_t now_ms);
/* Returns whether the try is under way. */
bool attempt_runs(const struct attempt *a);
/* Returns when attempt_late() has to be called; -1: no try is under way. */
int64_t attempt_until_ms(const struct attempt *a);
/* Handles that the tag has become readable. */
void attempt_read(struct attempt *a);
/* Reaps the command, whose process has ended. */
void attempt_command_ended(struct attempt *a);
/* Handles the time limit: kills the command, or gives up. */
void attempt_late(struct attempt *a, int64_t now_ms);
/*
 * Ends the try if one is under way, and frees everything: closes the connection, kills the command
 * and its group, and leaves the process to the caller's loop, which reaps it.
 */
void attempt_abandon(struct attempt *a);
/* As attempt_abandon(), where no loop follows: reaps the command. */
void attempt_free(struct attempt *a);
/* Returns "127.0.0.1:22" or "[::1]:22".  The caller frees it. */
char *attempt_place(const struct probe *probe);
/* Lends the name of an exec probe's program, without its directory. */
const char *attempt_program(const struct probe *probe);
/* Adds a text of the spec in quotes, with control characters as \n, \r, \t or \xNN. */
void attempt_quote(struct str *s, const char *text);

#endif
