/* Unix sockets by path, and channels to a child. */
#define _GNU_SOURCE /* pipe2(), SOCK_CLOEXEC */
#include "platform/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(MAX_SOCKET_PATH < sizeof(((struct sockaddr_un *)NULL)->sun_path), "too long");

/*
 * Probes with a datagram socket.  Both kernels look for the owner first and compare the types next:
 * EPROTOTYPE means that a stream socket is there.  A stream socket would have to connect, and on
 * FreeBSD could not tell a full queue from a missing owner.
 */
static enum socket_owner probe_owner(const char *path, size_t length)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	enum socket_owner owner = SOCKET_LIVE;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return SOCKET_UNKNOWN;
	memcpy(address.sun_path, path, length);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ECONNREFUSED)
			owner = SOCKET_STALE;
		if (errno == ENOENT)
			owner = SOCKET_ABSENT;
	}
	(void)close(fd);
	return owner;
}

enum socket_owner socket_probe(const char *path)
{
	size_t length = strlen(path);
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? SOCKET_ABSENT : SOCKET_UNKNOWN;
	if (!S_ISSOCK(st.st_mode))
		return SOCKET_FOREIGN;
	/* A client of Linux may use a few bytes more than vmrun does. */
	return length < sizeof(((struct sockaddr_un *)NULL)->sun_path) ? probe_owner(path, length)
								       : SOCKET_LIVE;
}

/* Gives a bound socket its mode and listens.  Removes the socket where that fails. */
static int open_bound(int fd, const char *path)
{
	int saved;

	/* No client can connect before listen(), whatever mode the mask has left. */
	if (chmod(path, 0600) == 0 && listen(fd, SOMAXCONN) == 0)
		return 0;
	saved = errno;
	(void)unlink(path);
	errno = saved;
	return -1;
}

static int bind_and_listen(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path, strlen(path));
	if (unlink(path) < 0 && errno != ENOENT)
		return -1;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return open_bound(fd, path);
}

int socket_check(const char *path, struct error *err)
{
	size_t length = strlen(path);

	if (length > MAX_SOCKET_PATH)
		return error_set(err, STATUS_OS,
		    "%s: a socket's path has at most %d bytes, this one %zu: choose a shorter "
		    "directory with --run-dir",
		    path, MAX_SOCKET_PATH, length);
	if (socket_probe(path) == SOCKET_FOREIGN)
		return error_set(err, STATUS_OS, "%s: not a socket: move it away", path);
	return 0;
}

int socket_listen(const char *path, int *fd, struct error *err)
{
	int saved;

	if (socket_check(path, err) != 0)
		return -1;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd >= 0 && bind_and_listen(*fd, path) == 0)
		return 0;
	saved = errno;
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	return error_set(err, STATUS_OS, "%s: cannot listen: %s", path, strerror(saved));
}

int socket_accept(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int hand_out_ends(const int fds[2], int *ours, int *theirs, struct error *err)
{
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		(void)error_set(
		    err, STATUS_OS, "cannot make a descriptor non-blocking: %s", strerror(errno));
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -1;
	}
	*ours = fds[0];
	*theirs = fds[1];
	return 0;
}

int socket_pair(int *ours, int *theirs, struct error *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_set(
		    err, STATUS_OS, "cannot make a pair of sockets: %s", strerror(errno));
	return hand_out_ends(fds, ours, theirs, err);
}

int socket_pipe(int *ours, int *theirs, struct error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set(err, STATUS_OS, "cannot make a pipe: %s", strerror(errno));
	return hand_out_ends(fds, ours, theirs, err);
}
