/*
 * One try to find out whether a guest answers: a TCP connection, which may have to send a text
 * first, or a command that has to end with status 0.
 */
#ifndef GUEST_ATTEMPT_H
#define GUEST_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/search.h"
#include "platform/waitset.h"
#include "process/command.h"
#include "spec/spec.h"

#define MAX_ATTEMPT_MS 10000 /* for one try */

/* The tags of a try in the wait set, from the first one on. */
enum { ATTEMPT_TAG_CONNECTION, ATTEMPT_TAG_OUTPUT, ATTEMPT_TAGS = ATTEMPT_TAG_OUTPUT + COMMAND_STREAMS };

enum attempt_result {
	ATTEMPT_GOES_ON,
	ATTEMPT_GOOD,
	ATTEMPT_FAILED, /* attempt.why says why */
};

/* What a try needs of the loop; lent. */
struct attempt_host {
	struct waitset *wait;
	uintptr_t first_tag;
	uintptr_t (*end_tag)(pid_t pid);
	const char *directory; /* absolute: where commands run */
};

/* A zeroed attempt is none. */
struct attempt {
	const struct probe *probe; /* lent; NULL: nothing is tried now */
	struct attempt_host host;
	int fd; /* of the connection, -1: none */
	bool is_connected;
	struct search text;
	struct command command;
	struct job job;
	int64_t until_ms;
	char *why; /* of the last failure */
};

/* Begins a try; the result may be there at once. */
enum attempt_result attempt_begin(struct attempt *a, const struct probe *probe,
    const struct attempt_host *host, int64_t now_ms);
/* Handles a stream, by its tag less the first one. */
enum attempt_result attempt_read(struct attempt *a, uintptr_t tag);
/* Handles the end of the command, whose process is job.pid. */
enum attempt_result attempt_ended(struct attempt *a);
/* Ends a try at its time limit, as a failure. */
enum attempt_result attempt_late(struct attempt *a);
/* Ends a try; a command is killed, and the loop reaps it.  The reason of a failure stays. */
void attempt_end(struct attempt *a);
/* Ends a try where no loop follows: reaps its command.  Frees everything. */
void attempt_close(struct attempt *a);

#endif
