/* The standard descriptors of a program. */
#ifndef CLI_STANDARD_H
#define CLI_STANDARD_H

#include <stdbool.h>

/*
 * Opens standard descriptors that are closed, because the next file or socket would get such a
 * number and receive what the program prints.  A program calls this first.
 */
void standard_open(void);
/* Flushes stdout.  Returns the status, or STATUS_OS after an error message of this program. */
int standard_flush(const char *program, int status);
/* Returns whether stderr can rewrite a line: a terminal, and the program is in its foreground. */
bool standard_can_rewrite(void);

#endif
