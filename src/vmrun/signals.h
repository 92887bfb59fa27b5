/* Signals of the program as a readable descriptor. No other file has signal handlers. */
#ifndef VMRUN_SIGNALS_H
#define VMRUN_SIGNALS_H

#include <stdbool.h>

#include "vmrun/vmrun.h"

/* The signals since the last signals_fetch(); several of a kind count as one. */
struct signals {
	bool stop;   /* SIGTERM, SIGINT; SIGHUP when the terminal has gone away */
	bool reload; /* SIGHUP otherwise */
	bool reopen; /* SIGUSR1 */
	bool status; /* SIGUSR2, and SIGINFO where there is one */
};

/*
 * Sets up signals before anything else happens.  Signals that the parent process ignored or blocked
 * are reset, and a file that reaches its size limit does not end vmrun.  During a run, SIGHUP,
 * SIGUSR1 and SIGUSR2 are kept until signals_fetch(); before signals_open(), SIGTERM and SIGINT end
 * the program, which has nothing to clean up yet.
 */
void signals_begin(bool run);
/*
 * Catches SIGTERM and SIGINT as requests, too.  Three that signals_fetch() does not take within two
 * seconds end the program with status 70, after it has restored the terminal of this VM's
 * hypervisor.  Returns a descriptor that is readable after a signal, or -1 with errno set.
 */
int signals_open(const struct vmrun *vm);
/* Takes the signals that have come. */
void signals_fetch(int fd, struct signals *received);
/* Closes the descriptor and forgets the VM. */
void signals_close(int fd);

#endif
