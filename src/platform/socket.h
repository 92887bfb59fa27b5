/* Unix sockets by path: who answers, and a pair for talking to a child. */
#ifndef PLATFORM_SOCKET_H
#define PLATFORM_SOCKET_H

#include "base/error.h"

enum socket_owner {
	SOCKET_ABSENT,	/* nothing of that name */
	SOCKET_STALE,	/* a socket that nobody has open any more */
	SOCKET_LIVE,	/* somebody has it: answering, too busy to, or not yet listening */
	SOCKET_FOREIGN, /* not a socket (nor is a link to one): never ours to touch */
	SOCKET_UNKNOWN, /* the system could not be asked: see errno */
};

/* Bytes of a unix socket's path on every system: FreeBSD's sun_path (104) less its NUL. */
#define MAX_SOCKET_PATH 103

/*
 * Never blocks, and never makes a connection: who serves one client at a time does not notice.  A
 * path too long to ask is judged by what lstat() says: SOCKET_LIVE for a socket.
 */
enum socket_owner socket_probe(const char *path);
/*
 * Listens at a path, for us alone (0600), in place of any socket that is there: the caller knows
 * that nobody uses it.  Non-blocking, close-on-exec.
 */
int socket_listen(const char *path, int *fd, struct error *err);
/* The next client, non-blocking, close-on-exec; -1 and errno: EAGAIN when there is none. */
int socket_accept(int listener);
/* Both ends are close-on-exec; ours is non-blocking. */
int socket_pair(int *ours, int *theirs, struct error *err);
/* A pipe: the read end is ours, non-blocking; both are close-on-exec. */
int socket_pipe(int *ours, int *theirs, struct error *err);

#endif
