/* Signals of the program as a readable descriptor; no other file has signal handlers. */
#ifndef VMRUN_SIGNALS_H
#define VMRUN_SIGNALS_H

#include <stdbool.h>

#include "vmrun/vmrun.h"

/* The signals since the last signals_fetch(); several of one kind count as one. */
struct signals {
	bool stop;   /* SIGTERM, SIGINT; SIGHUP when the terminal has gone away */
	bool reload; /* SIGHUP otherwise */
	bool reopen; /* SIGUSR1 */
	bool status; /* SIGUSR2, and SIGINFO where there is one */
};

/*
 * Sets up the signals at the start of the program.  Resets signals that the parent process ignored
 * or blocked, and ignores SIGXFSZ, so that a write beyond a file's size limit fails instead.  For a
 * run, catches SIGHUP, SIGUSR1 and SIGUSR2 for signals_fetch(), but leaves SIGTERM and SIGINT to
 * end the program, which has nothing to clean up before signals_open().
 */
void signals_begin(bool run);
/*
 * Catches SIGTERM and SIGINT as requests to stop.  Three requests that signals_fetch() does not
 * return within two seconds end the program with status 70, after it has restored the terminal of
 * this VM's hypervisor.  Returns a descriptor that is readable after a signal, or -1 with errno.
 */
int signals_open(const struct vmrun *vm);
/* Returns the signals that were caught, and clears them. */
void signals_fetch(int fd, struct signals *received);
/* Closes the descriptor and forgets the VM. */
void signals_close(int fd);

#endif
