/*
 * Private to spawn: its half in the child.  The child shares the memory of its parent, which stops
 * until exec: no allocation, no lock, no stdio here, and no writes but to struct spawning and
 * errno.
 */
#ifndef PLATFORM_SPAWN_CHILD_H
#define PLATFORM_SPAWN_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "platform/spawn.h"

enum child_step {
	CHILD_GROUP,
	CHILD_TIE,
	CHILD_DIRECTORY,
	CHILD_DESCRIPTORS,
	CHILD_LOCK,
	CHILD_CLOSE,
	CHILD_SIGNALS,
	CHILD_EXEC,
	CHILD_STEPS,
};

/* The plan for the child, made before the child exists. */
struct spawning {
	const struct spawn *what;
	pid_t parent;
	int *parked;	 /* room for one descriptor per what->fds */
	int *lock;	 /* room for the descriptor of what->lock_file; -1: it is not locked */
	const int *kept; /* the numbers that stay open: ascending, each once, 0 to 2 among them */
	size_t kept_count;
	bool is_given[3]; /* tells whether what->fds names 0, 1, 2 */
	sigset_t to_default;
	sigset_t to_ignore;
	/* The progress: written by the child, read by the parent. */
	volatile enum child_step step;
	volatile int error; /* errno of that step, 0 once the program runs */
};

/* Returns in the parent only, when the child has executed its program or has ended. */
pid_t spawn_child(struct spawning *c);

/*
 * Differences between the systems: spawn_freebsd.c, spawn_linux.c.  Those that return an int return
 * 0, or -1 and errno.
 */

/*
 * Calls spawn_child(), in such a way that the end of the calling thread sends no death signal.
 * Returns what spawn_child() does.
 */
pid_t child_fork(struct spawning *c);
int child_die_with_parent(int signal);
int child_close_range(unsigned int first, unsigned int last);
int child_set_action(int signal, const struct sigaction *action);
int child_set_mask(const sigset_t *mask);

#endif
