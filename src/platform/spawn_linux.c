/* The system calls of a new process on Linux. */
#define _GNU_SOURCE
#include "platform/spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In kernels since 5.9, in C libraries much later. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define KEEPER_STACK_BYTES (256 * 1024) /* address space; the keeper touches few of its pages */

int child_die_with_parent(int signal)
{
	return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0, 0, 0);
}

/* A child and its keeper: the thread that forks it, and does not end before the child has. */
struct keeping {
	struct spawning *child;
	pthread_barrier_t started; /* no cancellation point, unlike a semaphore */
	pid_t pid;		   /* -1: fork failed */
	int error;		   /* errno of the fork */
};

static void *keep(void *argument)
{
	struct keeping *k = argument;
	pid_t pid = spawn_child(k->child);
	siginfo_t info;

	k->pid = pid;
	k->error = errno;
	(void)pthread_barrier_wait(&k->started); /* *k may be gone after this */
	/* Leaves the child to be reaped; fails if the child has been reaped already. */
	while (pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	return NULL;
}

/* Starts the keeper, which inherits the mask of spawn_process(): all signals are blocked. */
static int start_keeper(struct keeping *k)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return error;
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attributes, KEEPER_STACK_BYTES);
	error = pthread_create(&thread, &attributes, keep, k);
	(void)pthread_attr_destroy(&attributes);
	return error;
}

/*
 * Linux sends the death signal when the thread that forked ends, so that a thread which may end
 * before the process leaves the fork to a keeper.  All threads end with the process.
 */
pid_t child_fork(struct spawning *c)
{
	struct keeping k = { .child = c, .pid = -1 };
	int error;

	if (c->what->death_signal == 0 || syscall(SYS_gettid) == c->parent)
		return spawn_child(c);
	errno = pthread_barrier_init(&k.started, NULL, 2);
	if (errno != 0)
		return -1;
	error = start_keeper(&k);
	if (error == 0) { /* and *k belongs to the keeper until the barrier */
		(void)pthread_barrier_wait(&k.started);
		error = k.error;
	}
	(void)pthread_barrier_destroy(&k.started);
	errno = error;
	return k.pid;
}

/* An entry of getdents64(2), which is called directly because readdir() allocates. */
struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

/* Reads a number; false for any other name. */
static bool read_number(const char *name, unsigned int *number)
{
	*number = 0;
	for (const char *p = name; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return false;
		*number = *number * 10 + (unsigned int)(*p - '0');
	}
	return *name != '\0';
}

/* Closes the descriptors in the list, whose order by number makes that safe while it is read. */
static int close_listed(int list, unsigned int first, unsigned int last)
{
	_Alignas(struct entry) char buffer[1024];
	unsigned int fd;
	long n;

	while ((n = syscall(SYS_getdents64, list, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(buffer + at);

			at += e->size;
			if (read_number(e->name, &fd) && fd >= first && fd <= last &&
			    fd != (unsigned int)list)
				(void)close((int)fd);
		}
	}
	return (int)n;
}

int child_close_range(unsigned int first, unsigned int last)
{
	int list, result;

	if (syscall(SYS_close_range, first, last, 0) == 0)
		return 0;
	/* For older kernels, and sandboxes that do not know the call and return EPERM. */
	list = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (list < 0)
		return -1;
	result = close_listed(list, first, last);
	(void)close(list);
	return result;
}

int child_set_action(int signal, const struct sigaction *action)
{
	return sigaction(signal, action, NULL);
}

int child_set_mask(const sigset_t *mask)
{
	return sigprocmask(SIG_SETMASK, mask, NULL);
}
