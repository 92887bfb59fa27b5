/* Starts one process, and controls everything that a child inherits. */
#ifndef PLATFORM_SPAWN_H
#define PLATFORM_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/words.h"

struct spawn_fd {
	int ours;   /* descriptor in this process; may be close-on-exec */
	int theirs; /* its number in the child; no number twice */
};

struct spawn {
	char *const *argv;
	const char *path;	      /* program to execute, with a slash in it */
	const struct spawn_fd *fds;   /* every other descriptor is closed in the child */
	size_t fd_count;	      /* 0, 1 and 2 are /dev/null where fds does not name them */
	bool own_group;		      /* a process group of its own, out of reach of the terminal */
	bool ignore_terminal_signals; /* SIGINT, SIGQUIT, SIGTSTP, SIGHUP ignored in the child */
	const char *directory;	      /* of the child; NULL: this process's */
	char *const *environment;     /* of the child, NULL-terminated; NULL: this process's */
	int death_signal;	      /* sent to the child when this process dies; 0: none */
	/*
	 * A file, made if it is missing, that the child locks until it ends, or NULL.  A child that
	 * holds the lock gets no death signal.  Programs that it leaves running do not hold the
	 * lock; filelock_is_held() tests it.
	 */
	const char *lock_file;
	/* What spawn_find_signals() found, and nothing has changed since; NULL: looked at anew. */
	const sigset_t *changed_signals;
};

/*
 * Starts the process.  All other signals have their default action and none is blocked; no handler
 * of this process ever runs in it.  The child is tied to this process before it executes anything,
 * and does not execute if this process died meanwhile.  On Linux, a process with a death_signal
 * whose starter is not the main thread gets a thread of the library until it ends, and one whose
 * starter is the main thread also gets the signal when that thread ends.
 *
 * Fails with STATUS_EXEC_MISSING or STATUS_CANNOT_EXEC when exec itself failed (the text names the
 * program and the reason), STATUS_OS for anything before; the child is reaped then.
 */
int spawn_process(const struct spawn *what, pid_t *pid, struct error *err);
/* Finds the signals whose action is not the default one, of which every child resets the action. */
void spawn_find_signals(sigset_t *changed);

/*
 * Adds this process's environment with changes, NULL-terminated: "NAME=VALUE" sets a variable,
 * "NAME" unsets it.
 */
void spawn_environment(char *const *changes, struct words *out);

/*
 * Finds a program: a name with a slash as it is, else in PATH, then in the directories that a
 * service's short PATH lacks (/usr/sbin, /sbin, /usr/local/sbin, /usr/local/bin).  Returns an owned
 * path with a slash in it, or NULL with STATUS_EXEC_MISSING or STATUS_CANNOT_EXEC (not executable,
 * a directory): the text names the directories, and those that could not be searched.
 */
char *program_find(const char *name, struct error *err);

/* The end of a process: exactly one of the two is set, the other is -1 (status) or 0 (signal). */
struct process_end {
	int status;
	int signal;
};

/* Returns whether a child has ended: it can be reaped without waiting. */
bool process_has_ended(pid_t pid);
/*
 * Returns whether processes are left in the group of a process that has been reaped, whose pid was
 * `group`; 0: none was started.
 */
bool process_group_remains(pid_t group);
/* Reaps a child that has ended or is about to, as waitset_next() reports. */
int process_reap(pid_t pid, struct process_end *end, struct error *err);

/* Children that are reaped later.  A zeroed list is empty. */
struct process_list {
	pid_t *pid;
	size_t count;
};

void process_list_add(struct process_list *list, pid_t pid);
/* Removes a child; does nothing if the list does not have it. */
void process_list_remove(struct process_list *list, pid_t pid);
/* Waits at most a second for the ends of all, reaps those that have ended, and frees the list. */
void process_list_reap(struct process_list *list);

#endif
