/* sysctl(3): names by number are only those that vmrun asks for. */
#ifndef FREEBSD_SYS_SYSCTL_H
#define FREEBSD_SYS_SYSCTL_H

#include <stddef.h>

#define CTL_KERN 1
#define KERN_PROC 14
#define KERN_PROC_PID 1

int sysctl(
    const int *name, unsigned count, void *old, size_t *old_size, const void *new, size_t new_size);
int sysctlbyname(const char *name, void *old, size_t *old_size, const void *new, size_t new_size);

#endif
