/*
 * Included before everything else when Linux compiles src/platform/NAME_freebsd.c: functions of
 * FreeBSD's <string.h> and <unistd.h>, and <sched.h>, which the two systems share by name only.
 */
#ifndef TEST_FREEBSD_LIBC_H
#define TEST_FREEBSD_LIBC_H

#include <stddef.h>
#include <sys/types.h>

size_t strlcpy(char *to, const char *from, size_t size);
int getpeereid(int fd, uid_t *uid, gid_t *gid);

#endif
