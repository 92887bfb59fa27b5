/* The system calls of a new process on FreeBSD. */
#include "platform/spawn_child.h"

#include <sys/procctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int child_die_with_parent(int signal)
{
	return procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &signal);
}

/* The death signal of FreeBSD comes with the end of the process, whichever thread has forked. */
pid_t child_fork(struct spawning *c)
{
	return spawn_child(c);
}

int child_close_range(unsigned int first, unsigned int last)
{
	return close_range(first, last, 0);
}

/*
 * The next two call the kernel directly: libthr, in a program with threads, keeps handlers and
 * masks under locks, in the parent's memory.
 */
int child_set_action(int signal, const struct sigaction *action)
{
	return syscall(SYS_sigaction, signal, action, NULL);
}

int child_set_mask(const sigset_t *mask)
{
	return syscall(SYS_sigprocmask, SIG_SETMASK, mask, NULL);
}
