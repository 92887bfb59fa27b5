/* A connection to a control socket: sends and receives bytes and lines, each within a deadline. */
#ifndef CLIENT_CONNECTION_H
#define CLIENT_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define MAX_LINE ((size_t)16 << 20) /* bytes of a line that vmrun sends */

struct connection {
	int fd; /* -1: not open */
	struct str received, unsent;
	size_t searched; /* bytes of `received` that have no newline */
};

/*
 * Connects to a socket.  Returns 0, or -1 with errno: ENOENT or ECONNREFUSED if no process
 * listens.
 */
int connection_open(struct connection *c, const char *path, int64_t until_ms);
/* Closes the connection and frees what it received. */
void connection_close(struct connection *c);
/* Sends c->unsent.  Returns 0, or -1 with errno, ETIMEDOUT after the deadline. */
int connection_flush(struct connection *c, int64_t until_ms);
/*
 * Sends as many bytes as possible until the deadline.  Returns 0 when all are sent, or -1 with
 * errno: ETIMEDOUT, or EPIPE if the other end is closed.
 */
int connection_send(
    struct connection *c, const void *bytes, size_t size, size_t *sent, int64_t until_ms);
/*
 * Waits for bytes, while it sends c->unsent, and appends them to c->received.  Returns 1, 0 at the
 * end of the stream, or -1 with errno: ETIMEDOUT after the deadline, EMSGSIZE for a line above
 * MAX_LINE.
 */
int connection_receive(struct connection *c, int64_t until_ms);
/* Removes the first bytes of c->received. */
void connection_use(struct connection *c, size_t n);
/* Returns whether connection_cut_line() has a line. */
bool connection_has_line(struct connection *c);
/* Removes the first complete line and returns it without its newline, or NULL.  Caller frees. */
char *connection_cut_line(struct connection *c);

#endif
