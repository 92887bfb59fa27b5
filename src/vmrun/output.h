/* Writing without waiting for a reader who does not come. */
#ifndef VMRUN_OUTPUT_H
#define VMRUN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define OUTPUT_PATIENCE_MS 1000 /* what a full pipe or a stopped terminal gets to take more */

/* Can it take something, or does it within so many milliseconds? */
bool output_ready(int fd, int ms);
/* Writes what it takes now; -1 with errno, EAGAIN when that is nothing. */
ssize_t output_some(int fd, const char *text, size_t n);

#endif
