/*
 * A library to be preloaded: makes one call of vmrun to the C library fail.  The file $FAULTS_PAGE
 * says which (calls.h) and gets the numbers of calls.  The calls of a child of vfork(), which
 * shares this memory, count until it executes another program; other programs are left alone.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "calls.h"

static struct faults_page *page; /* NULL in programs other than vmrun */

#define REAL(name)                                                 \
	do {                                                       \
		if (real == NULL)                                  \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
	} while (0)

__attribute__((constructor)) static void begin(void)
{
	int (*real)(const char *, int, ...) = NULL;
	const char *path = getenv("FAULTS_PAGE");
	void *mapped;
	int fd;

	if (path == NULL || strcmp(program_invocation_short_name, "vmrun") != 0)
		return;
	REAL(open);
	fd = real(path, O_RDWR | O_CLOEXEC);
	mapped = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || mapped == MAP_FAILED)
		abort();
	(void)close(fd);
	(void)unsetenv("FAULTS_PAGE");
	(void)unsetenv("LD_PRELOAD");
	page = mapped;
}

/* Returns the error that this call gets, or 0. */
static int fault(int call)
{
	if (page == NULL || ++page->count[call] != page->at || page->call != call)
		return 0;
	page->fired = 1;
	return page->error;
}

/* The same for a transfer of *n bytes, which SHORT halves; a single byte cannot be halved. */
static int fault_of_transfer(int call, int fd, size_t *n)
{
	int error = fault(call);

	if (error != 0 && fd == STDERR_FILENO)
		page->hit_stderr = 1;
	if (error != SHORT)
		return error;
	*n = *n > 1 ? *n / 2 : *n;
	return 0;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc has names of its own */
#define WRAP(type, name, parameters, arguments, failure, ...) \
	type name parameters;                                 \
	type name parameters                                  \
	{                                                     \
		static type(*real) parameters;                \
		int error;                                    \
                                                              \
		REAL(name);                                   \
		error = fault(CALL_##name);                   \
		if (error != 0) {                             \
			errno = error;                        \
			return failure;                       \
		}                                             \
		return real arguments;                        \
	}
#define NO_WRAP(...)

FAULTS_CALLS(WRAP, NO_WRAP)

#define WRAP_TRANSFER(name, parameters, arguments)                  \
	ssize_t name parameters                                     \
	{                                                           \
		static ssize_t(*real) parameters;                   \
		int error = fault_of_transfer(CALL_##name, fd, &n); \
                                                                    \
		REAL(name);                                         \
		if (error != 0) {                                   \
			errno = error;                              \
			return -1;                                  \
		}                                                   \
		return real arguments;                              \
	}

WRAP_TRANSFER(read, (int fd, void *p, size_t n), (fd, p, n))
WRAP_TRANSFER(write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP_TRANSFER(pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
WRAP_TRANSFER(pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP_TRANSFER(recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
WRAP_TRANSFER(send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
WRAP_TRANSFER(sendto,
    (int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t size),
    (fd, p, n, flags, a, size))

/* Returns whether this is a stub of a program: if its lookup failed, the system's would be run. */
static bool is_stub(const char *path)
{
	return strstr(path, "/tests/fake/bin/") != NULL;
}

#define WRAP_LOOKUP(name, parameters, arguments)                 \
	int name parameters                                      \
	{                                                        \
		static int(*real) parameters;                    \
		int error = is_stub(a) ? 0 : fault(CALL_##name); \
                                                                 \
		REAL(name);                                      \
		if (error == 0)                                  \
			return real arguments;                   \
		errno = error;                                   \
		return -1;                                       \
	}

WRAP_LOOKUP(access, (const char *a, int how), (a, how))
WRAP_LOOKUP(stat, (const char *a, struct stat *st), (a, st))

/* Closes also when it fails, as Linux does. */
#define WRAP_CLOSE(name, type)                  \
	int name(type what)                     \
	{                                       \
		static int (*real)(type);       \
		int error = fault(CALL_##name); \
		int rc;                         \
                                                \
		REAL(name);                     \
		rc = real(what);                \
		if (error == 0)                 \
			return rc;              \
		errno = error;                  \
		return -1;                      \
	}

WRAP_CLOSE(close, int)
WRAP_CLOSE(closedir, DIR *)
WRAP_CLOSE(fclose, FILE *)

int open(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	REAL(open);
	errno = fault(CALL_open);
	return errno != 0 ? -1 : real(path, flags, mode);
}

/* Passes on the one argument that there may be. */
#define WRAP_CONTROL(name, request_type)                    \
	int name(int fd, request_type request, ...)         \
	{                                                   \
		static int (*real)(int, request_type, ...); \
		va_list ap;                                 \
		void *more;                                 \
		int error = fault(CALL_##name);             \
                                                            \
		va_start(ap, request);                      \
		more = va_arg(ap, void *);                  \
		va_end(ap);                                 \
		REAL(name);                                 \
		if (error == 0)                             \
			return real(fd, request, more);     \
		errno = error;                              \
		return -1;                                  \
	}

WRAP_CONTROL(fcntl, int)
WRAP_CONTROL(ioctl, unsigned long)

int prctl(int option, ...)
{
	static int (*real)(int, ...);
	unsigned long a[4];
	va_list ap;
	int error = fault(CALL_prctl);

	va_start(ap, option);
	for (size_t i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	REAL(prctl);
	if (error == 0)
		return real(option, a[0], a[1], a[2], a[3]);
	errno = error;
	return -1;
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list ap;
	int error = fault(CALL_syscall);

	va_start(ap, number);
	for (size_t i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	REAL(syscall);
	if (error == 0)
		return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	errno = error;
	return -1;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
