/* Writing to files and pipes. */
#ifndef PLATFORM_WRITE_H
#define PLATFORM_WRITE_H

#include <stddef.h>

/*
 * Writes all n bytes, however often the system takes only some of them.  Returns how many were
 * written: fewer than n when a call failed, whose errno is left.  A limit on the size of files is
 * EFBIG, a pipe without a reader EPIPE; neither raises SIGXFSZ or SIGPIPE in this process, whose
 * signals are not the library's to set.
 */
size_t write_all(int fd, const void *bytes, size_t n);

#endif
