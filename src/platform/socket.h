/* Unix sockets by path and their owners, and channels to a child. */
#ifndef PLATFORM_SOCKET_H
#define PLATFORM_SOCKET_H

#include "base/error.h"

enum socket_owner {
	SOCKET_ABSENT,	/* no such file */
	SOCKET_STALE,	/* a socket that no process has open */
	SOCKET_LIVE,	/* a socket of a running process, which answers, is busy, or does not listen
			   yet */
	SOCKET_FOREIGN, /* not a socket, or a link: vmrun must not touch it */
	SOCKET_UNKNOWN, /* the probe failed: see errno */
};

/* Bytes of a unix socket's path on every system: FreeBSD's sun_path (104) less its NUL. */
#define MAX_SOCKET_PATH 103

/*
 * Finds the owner of a socket without blocking and without a connection, which would disturb a
 * server of one client at a time.  A socket whose path is too long to probe counts as SOCKET_LIVE.
 */
enum socket_owner socket_probe(const char *path);
/* Looks whether socket_listen() could make a socket there.  Returns -1 with STATUS_OS if not. */
int socket_check(const char *path, struct error *err);
/*
 * Listens at a path with mode 0600, in place of any socket there: the caller knows that it is
 * unused. Non-blocking, close-on-exec.
 */
int socket_listen(const char *path, int *fd, struct error *err);
/*
 * Returns the next client, non-blocking, close-on-exec; or -1 and errno: EAGAIN when there is none.
 */
int socket_accept(int listener);
/* Makes a pair of sockets, both close-on-exec; ours is non-blocking. */
int socket_pair(int *ours, int *theirs, struct error *err);
/* Makes a pipe, both ends close-on-exec; the read end is ours, non-blocking. */
int socket_pipe(int *ours, int *theirs, struct error *err);

#endif
