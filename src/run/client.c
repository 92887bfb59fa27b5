/* The bytes of a client: never more than what is bounded here, and never waited for. */
#include "run/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/clock.h"

#define READ_AT_ONCE ((size_t)4096)

struct client *client_new(int fd, uintptr_t tag, pid_t pid, struct waitset *wait)
{
	struct client *c = mem_zero(sizeof(*c));
	struct error ignored = { 0 };

	c->fd = fd;
	c->tag = tag;
	c->pid = pid;
	c->reading = true;
	c->moved_ms = clock_ms();
	if (waitset_watch_fd(wait, fd, tag, &ignored) != 0)
		c->dead = true;
	error_clear(&ignored);
	return c;
}

void client_free(struct client *c, struct waitset *wait)
{
	if (wait != NULL)
		waitset_forget_fd(wait, c->fd);
	(void)close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

size_t client_unread(const struct client *c)
{
	return c->out_length - c->out_at;
}

/* Makes room for n more bytes behind `length`. */
static void make_room(char **buffer, size_t *room, size_t length, size_t n)
{
	if (length + n <= *room)
		return;
	*room = length + n < 2 * *room ? 2 * *room : length + n;
	*buffer = mem_resize(*buffer, *room, 1);
}

/* Most clients are idle: they keep no memory then. */
static void release(char **buffer, size_t *room)
{
	free(*buffer);
	*buffer = NULL;
	*room = 0;
}

void client_put(struct client *c, const char *bytes, size_t n)
{
	if (c->dead)
		return;
	if (c->out_at == c->out_length)
		c->moved_ms = clock_ms(); /* it has had no chance to be slow */
	c->out_length -= c->out_at;
	if (c->out_at > 0)
		memmove(c->out, c->out + c->out_at, c->out_length);
	c->out_at = 0;
	make_room(&c->out, &c->out_room, c->out_length, n);
	memcpy(c->out + c->out_length, bytes, n);
	c->out_length += n;
}

/* Answers quote what clients and files say: what is no UTF-8 in them is replaced. */
static void put_line(struct client *c, struct str *line)
{
	struct str valid = { 0 };

	str_add_utf8(&valid, line->text);
	str_add(&valid, "}\n");
	client_put(c, valid.text, valid.length);
	str_free(&valid);
	str_free(line);
}

static void begin(struct str *line, const char *id, const char *ok)
{
	str_add(line, "{");
	if (id != NULL)
		str_addf(line, "\"id\":%s,", id);
	str_addf(line, "\"ok\":%s", ok);
}

void client_accept(struct client *c, const char *id, const char *more)
{
	struct str line = { 0 };

	begin(&line, id, "true");
	if (more != NULL)
		str_addf(&line, ",%s", more);
	put_line(c, &line);
}

void client_refuse(struct client *c, const char *id, const char *why)
{
	struct str line = { 0 };

	begin(&line, id, "false");
	str_add(&line, ",\"error\":");
	str_add_json(&line, why);
	put_line(c, &line);
}

void client_read(struct client *c)
{
	ssize_t n;

	make_room(&c->in, &c->in_room, c->in_length, READ_AT_ONCE);
	n = recv(c->fd, c->in + c->in_length, READ_AT_ONCE, 0);
	if (n > 0) {
		c->in_length += (size_t)n;
		c->moved_ms = clock_ms();
	} else if (n == 0) {
		c->leaves = true;
	} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		c->dead = true;
	}
	if (c->in_length == 0)
		release(&c->in, &c->in_room);
}

void client_used(struct client *c, size_t n)
{
	c->in_length -= n;
	if (c->in_length == 0)
		release(&c->in, &c->in_room);
	else
		memmove(c->in, c->in + n, c->in_length);
}

bool client_flush(struct client *c)
{
	while (!c->dead && c->out_at < c->out_length) {
		ssize_t n =
		    send(c->fd, c->out + c->out_at, c->out_length - c->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			c->dead = errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS;
			return false;
		}
		c->out_at += (size_t)n;
		c->moved_ms = clock_ms();
	}
	c->out_at = c->out_length = 0;
	release(&c->out, &c->out_room);
	return !c->dead;
}

void client_want(struct client *c, struct waitset *wait, bool reading)
{
	bool writing = client_unread(c) > 0;

	if (c->dead || (reading == c->reading && writing == c->writing))
		return;
	c->reading = reading;
	c->writing = writing;
	waitset_want(wait, c->fd, c->tag, reading, writing);
}

bool client_is_gone(const struct client *c)
{
	struct pollfd p = { .fd = c->fd };

	return c->dead || (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0);
}
