/* Signals of the program as a readable descriptor; no other file has signal handlers. */
#ifndef VMRUN_SIGNALS_H
#define VMRUN_SIGNALS_H

#include <stdbool.h>

#include "vmrun/vmrun.h"

/* The signals since the last signals_fetch(); several of one kind count as one. */
struct signals {
	bool stop;   /* SIGTERM, SIGINT; SIGHUP when the terminal has gone away */
	bool reload; /* SIGHUP otherwise, unless the parent process ignored it */
	bool reopen; /* SIGUSR1 */
	bool status; /* SIGUSR2, and SIGINFO where there is one */
};

/*
 * Sets up the signals at the start of the program.  Resets SIGCHLD, and ignores SIGXFSZ, so
 * that a write beyond a file's size limit fails instead.  For a run, unblocks all signals, catches
 * SIGHUP, SIGUSR1, SIGUSR2 and, where there is one, SIGINFO for signals_fetch(), and resets SIGTERM
 * and SIGINT to end the program, which has nothing to clean up before signals_open().  All this
 * also holds for signals that the parent process ignored, except SIGHUP, which then stays ignored.
 */
void signals_begin(bool run);
/*
 * Catches SIGTERM and SIGINT as requests to stop, and counts them over the whole run.  From the
 * third one on, a request that signals_fetch() does not return within two seconds ends the program
 * with status 70, after it has restored the terminal of this VM's hypervisor.  Returns a descriptor
 * that is readable after a signal, or -1 with errno.
 */
int signals_open(const struct vmrun *vm);
/* Returns the signals that were caught, and clears them. */
void signals_fetch(int fd, struct signals *received);
/* Closes the descriptor and forgets the VM. */
void signals_close(int fd);

#endif
