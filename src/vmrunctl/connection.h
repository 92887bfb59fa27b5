/* A connection to a control socket: sends and reads lines, each within a deadline. */
#ifndef VMRUNCTL_CONNECTION_H
#define VMRUNCTL_CONNECTION_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

struct connection {
	int fd;		/* -1: not open */
	char *received; /* bytes that no caller has used yet */
	size_t length, capacity;
	/* A wait ends with EINTR while this flag of a signal handler is set; or NULL. */
	const volatile sig_atomic_t *is_interrupted;
};

/* Returns the time, on the clock of the deadlines below. */
int64_t connection_now_ms(void);
/* Returns the deadline that is this far from now; a negative one never passes. */
int64_t connection_deadline_ms(int64_t from_now_ms);
/*
 * Connects to a socket.  Returns 0, or -1 with errno: ENOENT or ECONNREFUSED if no process
 * listens.
 */
int connection_open(struct connection *c, const char *path, int64_t until_ms);
/* Closes the connection and frees what it received. */
void connection_close(struct connection *c);
/* Sends the text and a newline.  Returns 0, or -1 with errno. */
int connection_send_line(struct connection *c, const char *line, int64_t until_ms);
/* Sends as many bytes as the socket accepts now, and returns their number. */
size_t connection_send_some(struct connection *c, const char *bytes, size_t n);
/*
 * Returns the next line without its newline, or NULL with errno: ETIMEDOUT, or 0 at the end of the
 * stream.  Caller frees.
 */
char *connection_read_line(struct connection *c, int64_t until_ms);
/*
 * Appends what has arrived to c->received.  Returns 1, 0 at the end of the stream, or -1 with
 * errno, EAGAIN if nothing has arrived.
 */
int connection_receive(struct connection *c);

#endif
