/* Signals of the program as a readable descriptor: the only handlers in the whole project. */
#ifndef VMRUN_SIGNALS_H
#define VMRUN_SIGNALS_H

#include <stdbool.h>

#include "vmrun/vmrun.h"

/* What has come since it was last asked; several of a kind are one. */
struct signals {
	bool stop;   /* SIGTERM, SIGINT; SIGHUP when the terminal has gone away */
	bool reload; /* SIGHUP otherwise */
	bool reopen; /* SIGUSR1 */
	bool status; /* SIGUSR2, and SIGINFO where there is one */
};

/*
 * Before anything else.  What our parent ignored must not hide the ends of our children, and what
 * it blocked no request; a file that reaches its limit must not end us and the VM.  Of a run, a
 * request that comes while the spec is read is kept until signals_take(); SIGTERM and SIGINT end
 * the program, which has nothing to clean up yet.
 */
void signals_begin(bool run);
/*
 * From here on a stop is a request too.  The third that is left untaken for two seconds ends the
 * program at once with status 70, after it has put back what this VM's hypervisor made of the
 * terminal.  Returns a descriptor that is readable when something has come, or -1 with errno set.
 */
int signals_open(const struct vmrun *vm);
void signals_take(int fd, struct signals *taken);
/* Forgets the VM. */
void signals_close(int fd);

#endif
