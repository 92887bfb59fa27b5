/* Reading and writing files and pipes. */
#ifndef PLATFORM_IO_H
#define PLATFORM_IO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/*
 * Reads to the end and adds the bytes to *s.  Returns -1 with errno for a failure of read(2), or
 * with EFBIG as soon as *s would have more than `max` bytes; *s has the bytes before that.
 */
int read_all(int fd, size_t max, struct str *s);

/*
 * Writes all n bytes, in as many calls as needed.  Returns the number of bytes written: fewer than
 * n when a call failed, with its errno.  A limit on the size of files is EFBIG, a pipe without a
 * reader EPIPE; neither raises SIGXFSZ or SIGPIPE, as the signals of the process do not belong to
 * the library.
 */
size_t write_all(int fd, const void *bytes, size_t n);

/*
 * Returns whether the directory of the path exists and the user may make files there; if not, errno
 * says why.
 */
bool io_can_create(const char *path);

#endif
