/* Threads, which FreeBSD numbers apart from processes. */
#ifndef FREEBSD_SYS_THR_H
#define FREEBSD_SYS_THR_H

#include <sys/types.h>

int thr_kill2(pid_t pid, long id, int signal);

#endif
