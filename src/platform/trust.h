/* May root run what a file says?  Not when anybody can write it. */
#ifndef PLATFORM_TRUST_H
#define PLATFORM_TRUST_H

#include "base/error.h"

/*
 * Checks the file that was opened as `path`, where root runs us: that others may write neither it
 * nor a folder on the way to it, links included; folders with the sticky bit, such as /tmp, are
 * fine. STATUS_NO_INPUT says what is open to others and how to close it.  Other users are not
 * asked.
 */
int trust_check(int fd, const char *path, struct error *err);

#endif
