/* A process, as sysctl(3) has it: only the members that vmrun reads. */
#ifndef FREEBSD_SYS_USER_H
#define FREEBSD_SYS_USER_H

#include <sys/time.h>
#include <sys/types.h>

struct kinfo_proc {
	int ki_structsize;
	pid_t ki_pid;
	struct timeval ki_start;
	char ki_stat;
};

#endif
