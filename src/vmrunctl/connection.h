/* The client's end of a control socket: lines out, lines in, each with a limit. */
#ifndef VMRUNCTL_CONNECTION_H
#define VMRUNCTL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection {
	int fd;		/* -1: not open */
	char *received; /* what came and was not taken yet */
	size_t length, capacity;
};

/* Now, and a moment from now, as the limits below take it; negative: never. */
int64_t connection_now_ms(void);
int64_t connection_deadline_ms(int64_t from_now_ms);
/* 0, or -1 with errno: ENOENT and ECONNREFUSED when nobody is there. */
int connection_open(struct connection *c, const char *path, int64_t until_ms);
void connection_close(struct connection *c);
/* Sends the text and a line end. */
int connection_send_line(struct connection *c, const char *line, int64_t until_ms);
/* Sends what is taken at once: how many bytes. */
size_t connection_send_some(struct connection *c, const char *bytes, size_t n);
/* The next line, without its end; NULL with errno: ETIMEDOUT, or 0 at the end. Caller frees. */
char *connection_read_line(struct connection *c, int64_t until_ms);
/* Takes what has come into c->received: 1, 0 at the end, -1 with errno, EAGAIN when nothing has. */
int connection_receive(struct connection *c);

#endif
