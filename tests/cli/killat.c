/*
 * A library to be preloaded: kills vmrun, as kill -9 does, before its N-th call of a function that
 * takes something, gives it back or writes it down.  $KILLAT is N; $KILLAT_COUNT is a file that
 * gets the number of such calls when vmrun ends by itself.  Children are left alone, also the child
 * of a vfork(), which shares this memory.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t us; /* 0 in processes other than vmrun */
static long calls, deadly;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("KILLAT");

	if (strcmp(program_invocation_short_name, "vmrun") != 0)
		return;
	us = getpid();
	deadly = at == NULL ? 0 : strtol(at, NULL, 10);
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("KILLAT_COUNT");
	FILE *f = us == 0 || path == NULL ? NULL : fopen(path, "w");

	if (f != NULL) {
		(void)fprintf(f, "%ld\n", calls);
		(void)fclose(f);
	}
}

static void count(void)
{
	if (us == 0 || getpid() != us)
		return;
	if (++calls == deadly)
		(void)kill(us, SIGKILL);
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc has names of its own */
#define WRAP(type, name, parameters, arguments)                    \
	type name parameters;                                      \
	type name parameters                                       \
	{                                                          \
		static type(*real) parameters;                     \
                                                                   \
		if (real == NULL)                                  \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		count();                                           \
		return real arguments;                             \
	}

WRAP(int, close, (int fd), (fd))
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, rename, (const char *a, const char *b), (a, b))
WRAP(int, unlink, (const char *a), (a))
WRAP(int, rmdir, (const char *a), (a))
WRAP(int, mkdir, (const char *a, mode_t m), (a, m))
WRAP(int, flock, (int fd, int how), (fd, how))
WRAP(int, kill, (pid_t pid, int sig), (pid, sig))
WRAP(pid_t, waitpid, (pid_t pid, int *status, int how), (pid, status, how))
WRAP(int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *e), (ep, op, fd, e))
WRAP(int, epoll_wait, (int ep, struct epoll_event *e, int n, int ms), (ep, e, n, ms))
WRAP(int, access, (const char *a, int how), (a, how))

int open(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "open");
	count();
	return real(path, flags, mode);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
