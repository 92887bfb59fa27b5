/* Writes that never block. */
#ifndef VMRUN_OUTPUT_H
#define VMRUN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define OUTPUT_TIMEOUT_MS 1000 /* for a full pipe or a stopped terminal to accept more */

/* Returns whether the descriptor accepts output within this time. */
bool output_ready(int fd, int ms);
/* Writes as much as the descriptor accepts now.  Returns the number of bytes, or -1 with errno. */
ssize_t output_some(int fd, const char *text, size_t n);

#endif
