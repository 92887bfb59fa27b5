/* Lines over a unix socket that never blocks. */
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

#define RETRY_MS 20 /* while the queue of those who want to be heard is full */

int64_t talk_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t talk_until_ms(int64_t from_now_ms)
{
	return from_now_ms < 0 ? -1 : talk_now_ms() + from_now_ms;
}

/* As poll() takes it. */
static int left_ms(int64_t until_ms)
{
	int64_t left = until_ms - talk_now_ms();

	if (until_ms < 0)
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* -1 with errno, ETIMEDOUT when it is too late. */
static int await(const struct talk *t, short events, int64_t until_ms)
{
	struct pollfd p = { .fd = t->fd, .events = events };
	int n;

	while ((n = poll(&p, 1, left_ms(until_ms))) < 0 && errno == EINTR)
		;
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

static int make(struct talk *t)
{
	t->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (t->fd < 0)
		return -1;
	if (fcntl(t->fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(t->fd, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	return 0;
}

int talk_open(struct talk *t, const char *path, int64_t until_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int saved;

	memset(t, 0, sizeof(*t));
	t->fd = -1;
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (make(t) != 0)
		return -1;
	while (connect(t->fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == EAGAIN && left_ms(until_ms) != 0) {
			(void)poll(NULL, 0, RETRY_MS);
			continue;
		}
		saved = errno == EAGAIN ? ETIMEDOUT : errno;
		talk_close(t);
		errno = saved;
		return -1;
	}
	return 0;
}

void talk_close(struct talk *t)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	free(t->read);
	memset(t, 0, sizeof(*t));
	t->fd = -1;
}

static int send_all(struct talk *t, const char *bytes, size_t n, int64_t until_ms)
{
	while (n > 0) {
		ssize_t done = send(t->fd, bytes, n, MSG_NOSIGNAL);

		if (done > 0) {
			bytes += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (await(t, POLLOUT, until_ms) != 0)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

int talk_send(struct talk *t, const char *line, int64_t until_ms)
{
	if (send_all(t, line, strlen(line), until_ms) != 0)
		return -1;
	return send_all(t, "\n", 1, until_ms);
}

size_t talk_send_some(struct talk *t, const char *bytes, size_t n)
{
	ssize_t done = send(t->fd, bytes, n, MSG_NOSIGNAL);

	return done < 0 ? 0 : (size_t)done; /* reading tells what is the matter */
}

int talk_take(struct talk *t)
{
	ssize_t n;

	if (t->room - t->length < 4096) {
		size_t room = 2 * t->room + 8192;
		char *bigger = realloc(t->read, room);

		if (bigger == NULL)
			return -1;
		t->read = bigger;
		t->room = room;
	}
	do
		n = recv(t->fd, t->read + t->length, t->room - t->length, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		n = 0;
	if (n > 0)
		t->length += (size_t)n;
	return n > 0 ? 1 : (int)n;
}

/* The first line of what has come, or NULL. */
static char *cut_line(struct talk *t)
{
	const char *end = t->length == 0 ? NULL : memchr(t->read, '\n', t->length);
	size_t n = end == NULL ? 0 : (size_t)(end - t->read);
	char *line = end == NULL ? NULL : malloc(n + 1);

	if (line == NULL)
		return NULL;
	memcpy(line, t->read, n);
	line[n] = '\0';
	t->length -= n + 1;
	memmove(t->read, t->read + n + 1, t->length);
	return line;
}

char *talk_line(struct talk *t, int64_t until_ms)
{
	char *line;

	while ((line = cut_line(t)) == NULL) {
		int got = talk_take(t);

		if (got == 0)
			errno = 0;
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
			return NULL;
		if (got < 0 && await(t, POLLIN, until_ms) != 0)
			return NULL;
	}
	return line;
}
