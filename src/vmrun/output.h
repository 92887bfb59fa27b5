/* Writes that do not wait for a reader. */
#ifndef VMRUN_OUTPUT_H
#define VMRUN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define OUTPUT_TIMEOUT_MS 1000 /* for a full pipe or a stopped terminal to take more */

/* Returns whether the descriptor takes something within this time. */
bool output_ready(int fd, int ms);
/* Writes what the descriptor takes now. Returns its length, or -1 with errno, EAGAIN for none. */
ssize_t output_some(int fd, const char *text, size_t n);

#endif
