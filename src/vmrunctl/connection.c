/* Lines over a non-blocking UNIX socket. */
#include "vmrunctl/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define RETRY_MS 20	/* between two attempts while the listen queue is full */
#define READ_BYTES 4096 /* free space of the buffer before each read */

int64_t connection_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t connection_deadline_ms(int64_t from_now_ms)
{
	return from_now_ms < 0 ? -1 : connection_now_ms() + from_now_ms;
}

/* Returns the time left as an argument of poll(). */
static int remaining_ms(int64_t until_ms)
{
	int64_t left = until_ms - connection_now_ms();

	if (until_ms < 0)
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Waits until the socket is ready.  Returns 0, or -1 with errno, ETIMEDOUT after the deadline. */
static int wait_ready(const struct connection *c, short events, int64_t until_ms)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int n;

	while ((n = poll(&p, 1, remaining_ms(until_ms))) < 0 && errno == EINTR) {
		if (c->is_interrupted != NULL && *c->is_interrupted)
			return -1;
	}
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

/* Closes the connection.  Returns -1 with errno. */
static int close_after_error(struct connection *c, int error)
{
	connection_close(c);
	errno = error;
	return -1;
}

/* Creates the non-blocking socket.  Returns 0, or -1 with errno and perhaps an open socket. */
static int make_socket(struct connection *c)
{
	c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (c->fd < 0)
		return -1;
	if (fcntl(c->fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	return 0;
}

int connection_open(struct connection *c, const char *path, int64_t until_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (make_socket(c) != 0)
		return close_after_error(c, errno);
	while (connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == EAGAIN && remaining_ms(until_ms) != 0) {
			(void)poll(NULL, 0, RETRY_MS);
			continue;
		}
		return close_after_error(c, errno == EAGAIN ? ETIMEDOUT : errno);
	}
	return 0;
}

void connection_close(struct connection *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	free(c->received);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

static int send_all(struct connection *c, const char *bytes, size_t n, int64_t until_ms)
{
	while (n > 0) {
		ssize_t done = send(c->fd, bytes, n, MSG_NOSIGNAL);

		if (done > 0) {
			bytes += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (wait_ready(c, POLLOUT, until_ms) != 0)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

int connection_send_line(struct connection *c, const char *line, int64_t until_ms)
{
	if (send_all(c, line, strlen(line), until_ms) != 0)
		return -1;
	return send_all(c, "\n", 1, until_ms);
}

size_t connection_send_some(struct connection *c, const char *bytes, size_t n)
{
	ssize_t done = send(c->fd, bytes, n, MSG_NOSIGNAL);

	return done < 0 ? 0 : (size_t)done; /* the next read reports an error */
}

int connection_receive(struct connection *c)
{
	ssize_t n;

	if (c->capacity - c->length < READ_BYTES) {
		size_t capacity = 2 * c->capacity + 2 * READ_BYTES;

		c->received = mem_resize(c->received, capacity, 1);
		c->capacity = capacity;
	}
	do
		n = recv(c->fd, c->received + c->length, c->capacity - c->length, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		n = 0;
	if (n > 0)
		c->length += (size_t)n;
	return n > 0 ? 1 : (int)n;
}

/* Removes the first complete line from the received bytes and returns it, or NULL. */
static char *cut_line(struct connection *c)
{
	const char *end = c->length == 0 ? NULL : memchr(c->received, '\n', c->length);
	char *line;
	size_t n;

	if (end == NULL)
		return NULL;
	n = (size_t)(end - c->received);
	line = mem_copy_n(c->received, n);
	c->length -= n + 1;
	memmove(c->received, c->received + n + 1, c->length);
	return line;
}

char *connection_read_line(struct connection *c, int64_t until_ms)
{
	char *line;

	while ((line = cut_line(c)) == NULL) {
		int got = connection_receive(c);

		if (got == 0)
			errno = 0;
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
			return NULL;
		if (got < 0 && wait_ready(c, POLLIN, until_ms) != 0)
			return NULL;
	}
	return line;
}
