/* Reading to the end, and writing all without a signal to the process. */
#include "platform/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

int read_all(int fd, size_t max, struct str *s)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (s->length + (size_t)n > max) {
			errno = EFBIG;
			return -1;
		}
		str_add_n(s, buffer, (size_t)n);
	}
	return 0;
}

/* Returns the number of n bytes that the limit on the size of files allows. */
static size_t within_limit(int fd, const struct stat *st, size_t n)
{
	struct rlimit limit;
	uint64_t max;
	off_t at;

	if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return n;
	at = (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? st->st_size : lseek(fd, 0, SEEK_CUR);
	if (at < 0)
		return n;
	max = (uint64_t)limit.rlim_cur; /* a signed type on FreeBSD */
	if ((uint64_t)at >= max)
		return 0;
	return n < max - (uint64_t)at ? n : (size_t)(max - (uint64_t)at);
}

/* Writes up to the limit: a byte beyond it would raise SIGXFSZ. */
static ssize_t write_file(int fd, const struct stat *st, const char *bytes, size_t n)
{
	size_t max = within_limit(fd, st, n);

	if (max > 0)
		return write(fd, bytes, max);
	errno = EFBIG;
	return -1;
}

/*
 * Whether a second SIGPIPE waits behind one that is pending: FreeBSD queues each of them
 * (sigqueue_add() in kern_sig.c), Linux has one at most.
 */
#ifdef __FreeBSD__
#define QUEUES_SIGPIPE true
#else
#define QUEUES_SIGPIPE false
#endif

/* Writes to a pipe and discards the SIGPIPE of this call, but not one that was pending before. */
static ssize_t write_pipe(int fd, const char *bytes, size_t n)
{
	const struct timespec at_once = { 0 };
	sigset_t broken, before, pending;
	ssize_t done;
	int saved;

	(void)sigemptyset(&broken);
	(void)sigaddset(&broken, SIGPIPE);
	(void)sigpending(&pending);
	(void)sigprocmask(SIG_BLOCK, &broken, &before);
	done = write(fd, bytes, n);
	saved = errno;
	if (done < 0 && saved == EPIPE && (QUEUES_SIGPIPE || sigismember(&pending, SIGPIPE) != 1)) {
		while (sigtimedwait(&broken, NULL, &at_once) < 0 && errno == EINTR)
			;
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return done;
}

static ssize_t write_some(int fd, const char *bytes, size_t n)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	return S_ISREG(st.st_mode) ? write_file(fd, &st, bytes, n) : write_pipe(fd, bytes, n);
}

size_t write_all(int fd, const void *bytes, size_t n)
{
	const char *from = bytes;
	size_t at = 0;

	while (at < n) {
		ssize_t done = write_some(fd, from + at, n - at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO;
		if (done <= 0)
			break;
		at += (size_t)done;
	}
	return at;
}

bool io_can_create(const char *path)
{
	size_t length = strlen(path);
	MEM_AUTO char *directory = NULL;

	while (length > 0 && path[length - 1] == '/') /* of a directory to be made */
		length--;
	while (length > 0 && path[length - 1] != '/')
		length--;
	directory = length == 0 ? mem_copy(".") : mem_copy_n(path, length);
	return access(directory, W_OK | X_OK) == 0;
}
