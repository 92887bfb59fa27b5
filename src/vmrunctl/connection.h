/* The client's end of a control socket: lines out, lines in, each with a limit. */
#ifndef VMRUNCTL_CONNECTION_H
#define VMRUNCTL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct talk {
	int fd;	    /* -1: not open */
	char *read; /* what came and was not taken yet */
	size_t length, room;
};

/* Now, and a moment from now, as the limits below take it; negative: never. */
int64_t talk_now_ms(void);
int64_t talk_until_ms(int64_t from_now_ms);
/* 0, or -1 with errno: ENOENT and ECONNREFUSED when nobody is there. */
int talk_open(struct talk *t, const char *path, int64_t until_ms);
void talk_close(struct talk *t);
/* Sends the text and a line end. */
int talk_send(struct talk *t, const char *line, int64_t until_ms);
/* Sends what is taken at once: how many bytes. */
size_t talk_send_some(struct talk *t, const char *bytes, size_t n);
/* The next line, without its end; NULL with errno: ETIMEDOUT, or 0 at the end. Caller frees. */
char *talk_line(struct talk *t, int64_t until_ms);
/* Takes what has come into t->read: 1, 0 at the end, -1 with errno, EAGAIN when nothing has. */
int talk_take(struct talk *t);

#endif
