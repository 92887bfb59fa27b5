/* The process at the other end of a unix socket. */
#ifndef FREEBSD_SYS_UCRED_H
#define FREEBSD_SYS_UCRED_H

#include <sys/types.h>

#define SOL_LOCAL 0
#define LOCAL_PEERCRED 1

struct xucred {
	unsigned cr_version;
	uid_t cr_uid;
	pid_t cr_pid;
};

#endif
