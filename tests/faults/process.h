/* Programs that a test starts, and all processes that these leave. */
#ifndef FAULTS_PROCESS_H
#define FAULTS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/words.h"

/* Makes this process the parent of every process that loses its own. */
void process_begin(void);
/* Starts a program with these files as stdout and stderr; with `preload`, under inject.c. */
pid_t process_start(const char *const *argv, const char *out, const char *err, bool preload);
/* Returns whether the process, a child, has ended; leaves it to process_end(). */
bool process_is_over(pid_t pid);
/* Sleeps until a child ends, at most so many milliseconds. */
void process_pause(int ms);
/* Waits; kills the process after so many milliseconds.  Returns the status, 128 + the signal, or
 * -1. */
int process_end(pid_t pid, int limit_ms);
/* Adds the processes that are left after so many milliseconds, and kills them. */
void process_left(int limit_ms, struct words *left);
long long process_now_ms(void);

#endif
