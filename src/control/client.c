/* The buffers of one client: they are limited, and no call here blocks. */
#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "platform/clock.h"

#define MAX_READ ((size_t)4096) /* bytes received at a time */

struct client *client_new(int fd, uintptr_t tag, pid_t pid, struct waitset *wait)
{
	struct client *c = mem_zero(sizeof(*c));

	c->fd = fd;
	c->tag = tag;
	c->pid = pid;
	c->reading = true;
	c->arrived_ms = c->moved_ms = clock_ms();
	LIST_INIT(&c->waiting);
	if (waitset_watch_fd(wait, fd, tag, NULL) != 0)
		c->dead = true;
	return c;
}

void client_free(struct client *c, struct waitset *wait)
{
	if (wait != NULL)
		waitset_forget_fd(wait, c->fd);
	(void)close(c->fd);
	free(c->in.text);
	free(c->out.text);
	free(c);
}

size_t client_unread(const struct client *c)
{
	return c->out.length;
}

/*
 * Makes room for n more bytes.  Moves at most as many bytes as were added or used since the last
 * move.
 */
static void make_room(struct client_bytes *b, size_t n)
{
	size_t room = b->length < n ? b->length + n : 2 * b->length;
	char *text;

	if (b->at + b->length + n <= b->room)
		return;
	if (b->length <= b->at && b->length + n <= b->room) {
		memmove(b->text, b->text + b->at, b->length);
		b->at = 0;
		return;
	}
	text = mem_resize(NULL, room, 1);
	if (b->length > 0)
		memcpy(text, b->text + b->at, b->length);
	free(b->text);
	*b = (struct client_bytes){ .text = text, .length = b->length, .room = room };
}

/* Drops the first n bytes; frees the memory of an empty buffer, because most clients are idle. */
static void use(struct client_bytes *b, size_t n)
{
	b->at += n;
	b->length -= n;
	if (b->length > 0)
		return;
	free(b->text);
	memset(b, 0, sizeof(*b));
}

void client_put(struct client *c, const char *bytes, size_t n)
{
	if (c->dead || n == 0)
		return;
	if (c->out.length == 0)
		c->moved_ms = clock_ms(); /* the client had nothing to read until now */
	make_room(&c->out, n);
	memcpy(c->out.text + c->out.at + c->out.length, bytes, n);
	c->out.length += n;
}

/* Begins an answer; its object stays open. */
static void begin(struct str *answer, const char *id, bool ok)
{
	json_begin_object(answer, NULL);
	if (id != NULL)
		json_add_json(answer, "id", id);
	json_add_bool(answer, "ok", ok);
}

void client_begin_answer(struct str *answer, const char *id)
{
	begin(answer, id, true);
}

void client_end_answer(struct client *c, struct str *answer)
{
	json_end_object(answer);
	/* Answers quote clients and files, whose bytes may be invalid UTF-8. */
	str_make_utf8(answer);
	str_add(answer, "\n");
	client_put(c, answer->text, answer->length);
	str_free(answer);
}

void client_accept(struct client *c, const char *id)
{
	struct str answer = { 0 };

	begin(&answer, id, true);
	client_end_answer(c, &answer);
}

void client_refuse(struct client *c, const char *id, const char *why)
{
	struct str answer = { 0 };

	begin(&answer, id, false);
	json_add_text(&answer, "error", why);
	client_end_answer(c, &answer);
}

void client_read(struct client *c)
{
	ssize_t n;

	make_room(&c->in, MAX_READ);
	n = recv(c->fd, c->in.text + c->in.at + c->in.length, MAX_READ, 0);
	if (n > 0) {
		c->in.length += (size_t)n;
		c->moved_ms = clock_ms();
	} else if (n == 0) {
		c->leaves = true;
	} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		c->dead = true;
	}
	use(&c->in, 0);
}

const char *client_in(const struct client *c)
{
	return c->in.text + c->in.at;
}

bool client_line(struct client *c, size_t *length)
{
	const char *start, *end;

	if (c->in.length == c->searched)
		return false;
	start = client_in(c);
	end = memchr(start + c->searched, '\n', c->in.length - c->searched);
	c->searched = end == NULL ? c->in.length : (size_t)(end - start);
	*length = c->searched;
	return end != NULL;
}

void client_used(struct client *c, size_t n)
{
	use(&c->in, n);
	c->searched = c->searched > n ? c->searched - n : 0;
}

bool client_flush(struct client *c)
{
	while (!c->dead && c->out.length > 0) {
		ssize_t n = send(c->fd, c->out.text + c->out.at, c->out.length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			c->dead = errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS;
			return false;
		}
		use(&c->out, (size_t)n);
		c->moved_ms = clock_ms();
	}
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
