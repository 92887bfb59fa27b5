/* Starts the program of child.c for a test, and reads what it tells. */
#ifndef TEST_STARTER_H
#define TEST_STARTER_H

#include <sys/types.h>

#include "base/error.h"
#include "platform/spawn.h"

extern struct error starter_err;
/* The child's argv: the first word is its path, the others are NULL when a test begins. */
extern char *starter_argv[8];

/* Setup and teardown of a cmocka test. */
int starter_setup(void **state);
int starter_teardown(void **state);

/* These fail the test rather than return a failure. */
pid_t starter_run(const struct spawn *what);
struct process_end starter_reap(pid_t pid);
/* Runs `child report` with these descriptors besides its stdout. Caller frees what it wrote. */
char *starter_report(struct spawn what, const struct spawn_fd *fds, size_t fd_count);
/* Is this one of the lines of text? */
void starter_assert_line(const char *text, const char *line);

#endif
