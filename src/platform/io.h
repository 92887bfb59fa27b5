/* Writing to files and pipes. */
#ifndef PLATFORM_IO_H
#define PLATFORM_IO_H

#include <stddef.h>

/*
 * Writes all n bytes, in as many calls as needed.  Returns the number of bytes written: fewer than
 * n when a call failed, with its errno.  A limit on the size of files is EFBIG, a pipe without a
 * reader EPIPE; neither raises SIGXFSZ or SIGPIPE, as the signals of the process do not belong to
 * the library.
 */
size_t write_all(int fd, const void *bytes, size_t n);

#endif
