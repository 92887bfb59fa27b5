/* procctl(2): only what vmrun asks for.  FreeBSD's id_t has 64 bits and a sign. */
#ifndef FREEBSD_SYS_PROCCTL_H
#define FREEBSD_SYS_PROCCTL_H

#include <stdint.h>
#include <sys/wait.h>

#define PROC_SPROTECT 1
#define PROC_PDEATHSIG_CTL 11
#define PPROT_SET 1

int procctl(idtype_t type, int64_t id, int command, void *data);

#endif
