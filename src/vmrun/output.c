/* Writes that never block, to descriptors that other programs may share. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

bool output_ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int ready;

	while ((ready = poll(&p, 1, ms)) < 0 && errno == EINTR)
		;
	return ready > 0;
}

/*
 * Writes at most PIPE_BUF bytes, which a pipe that polls as writable accepts without blocking.
 * Makes a terminal non-blocking for this write, because it may block although it polls as writable.
 */
ssize_t output_some(int fd, const char *text, size_t n)
{
	int flags, saved;
	ssize_t done;

	if (!output_ready(fd, 0)) {
		errno = EAGAIN;
		return -1;
	}
	flags = isatty(fd) != 0 ? fcntl(fd, F_GETFL) : -1;
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	done = write(fd, text, n < PIPE_BUF ? n : PIPE_BUF);
	saved = errno;
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags);
	errno = saved == EWOULDBLOCK ? EAGAIN : saved;
	return done;
}
