/* Bytes and lines over a non-blocking UNIX socket. */
#include "client/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/socket.h"

#define RETRY_MS 20	    /* between two attempts while the owner takes no connection */
#define MAX_REFUSED_MS 1000 /* for an owner that refuses */
#define READ_BYTES 4096	    /* received at once */

/* Waits until the socket is ready.  Returns 0, or -1 with errno, ETIMEDOUT after the deadline. */
static int wait_ready(const struct connection *c, short events, int64_t until_ms)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int n;

	do
		n = poll(&p, 1, clock_left_ms(until_ms));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

/*
 * Connects the socket.  Tries again while the listen queue is full, which FreeBSD says with
 * ECONNREFUSED (unp_connectat() in uipc_usrreq.c), or while the owner of the socket is about to
 * listen; with this errno not for long, because some owner may never listen.
 */
static int connect_until(int fd, const struct sockaddr_un *address, int64_t until_ms)
{
	int64_t refused_until_ms = clock_ms() + MAX_REFUSED_MS;

	for (;;) {
		bool is_last = clock_left_ms(until_ms) == 0;
		bool refuses = is_last || clock_left_ms(refused_until_ms) == 0;
		int why;

		if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
			return 0;
		why = errno;
		if (why == EAGAIN && is_last)
			why = ETIMEDOUT;
		if (why != EAGAIN &&
		    (why != ECONNREFUSED || refuses ||
			socket_probe(address->sun_path) != SOCKET_LIVE)) {
			errno = why;
			return -1;
		}
		(void)poll(NULL, 0, RETRY_MS);
	}
}

/*
 * Moves a descriptor behind the standard ones, which the program may have closed: the console of a
 * guest on "stdio" would send requests.  Returns the new one, or -1 with errno.
 */
static int move_up(int fd)
{
	int moved, why;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	why = errno;
	(void)close(fd);
	errno = why;
	return moved;
}

int connection_open(struct connection *c, const char *path, int64_t until_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int why;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	c->fd = move_up(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (c->fd < 0)
		return -1;
	if (connect_until(c->fd, &address, until_ms) == 0)
		return 0;
	why = errno;
	connection_close(c);
	errno = why;
	return -1;
}

void connection_close(struct connection *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	str_free(&c->received);
	str_free(&c->unsent);
	c->fd = -1;
}

/* Removes the first bytes of a text. */
static void cut(struct str *s, size_t n)
{
	if (n == 0)
		return;
	s->length -= n;
	memmove(s->text, s->text + n, s->length + 1);
}

/* Sends once.  Returns the number of bytes, 0 if the socket is full, or -1 with errno. */
static ssize_t send_some(const struct connection *c, const char *bytes, size_t size)
{
	ssize_t n;

	do
		n = send(c->fd, bytes, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0 || errno == EAGAIN || errno == EWOULDBLOCK)
		return n > 0 ? n : 0;
	if (errno == ECONNRESET || errno == ENOTCONN)
		errno = EPIPE;
	return -1;
}

int connection_send(
    struct connection *c, const void *bytes, size_t size, size_t *sent, int64_t until_ms)
{
	for (*sent = 0; *sent < size;) {
		ssize_t n = send_some(c, (const char *)bytes + *sent, size - *sent);

		if (n < 0 || (n == 0 && wait_ready(c, POLLOUT, until_ms) != 0))
			return -1;
		*sent += (size_t)n;
	}
	return 0;
}

int connection_flush(struct connection *c, int64_t until_ms)
{
	size_t sent;
	int rc = connection_send(c, c->unsent.text, c->unsent.length, &sent, until_ms);

	cut(&c->unsent, sent);
	return rc;
}

/* Reads once.  Returns the number of bytes, 0 at the end of the stream, or -1 with errno. */
static ssize_t receive_some(struct connection *c)
{
	char bytes[READ_BYTES];
	ssize_t n;

	do
		n = recv(c->fd, bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		n = 0;
	if (n > 0)
		str_add_n(&c->received, bytes, (size_t)n);
	return n;
}

int connection_receive(struct connection *c, int64_t until_ms)
{
	if (c->received.length >= MAX_LINE) {
		errno = EMSGSIZE;
		return -1;
	}
	for (;;) {
		/* An error is found by the read, behind the bytes that came before it. */
		bool is_full = connection_flush(c, 0) != 0 && errno == ETIMEDOUT;
		ssize_t n = receive_some(c);

		if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
			return n > 0 ? 1 : (int)n;
		if (wait_ready(c, is_full ? POLLIN | POLLOUT : POLLIN, until_ms) != 0)
			return -1;
	}
}

void connection_use(struct connection *c, size_t n)
{
	cut(&c->received, n);
	c->searched = 0;
}

/* Searches each byte once, however often a long line is asked for.  Returns the newline or NULL. */
static const char *find_newline(struct connection *c)
{
	const char *found = NULL;

	if (c->searched < c->received.length)
		found =
		    memchr(c->received.text + c->searched, '\n', c->received.length - c->searched);
	if (found == NULL)
		c->searched = c->received.length;
	return found;
}

bool connection_has_line(struct connection *c)
{
	return find_newline(c) != NULL;
}

char *connection_cut_line(struct connection *c)
{
	const char *end = find_newline(c);
	size_t length;
	char *line;

	if (end == NULL)
		return NULL;
	length = (size_t)(end - c->received.text);
	line = mem_copy_n(c->received.text, length);
	connection_use(c, length + 1);
	return line;
}
