/* cpuset_setaffinity(2) for a thread: only what vmrun asks for. */
#ifndef FREEBSD_SYS_CPUSET_H
#define FREEBSD_SYS_CPUSET_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef cpu_set_t cpuset_t;

/* FreeBSD's takes any integer. */
#undef CPU_SET
#define CPU_SET(cpu, set) CPU_SET_S((size_t)(cpu), sizeof(*(set)), (set))

#define CPU_LEVEL_WHICH 3
#define CPU_WHICH_TID 1

int cpuset_setaffinity(int level, int which, int64_t id, size_t size, const cpuset_t *set);

#endif
