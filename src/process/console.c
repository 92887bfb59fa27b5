/* The guest's serial line, its ring and its log. */
#include "process/console.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/terminal.h"

void console_init(struct console *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = c->guest_fd = -1;
	console_log_init(&c->log);
}

int console_open(
    struct console *c, const struct console_settings *settings, bool required, struct error *err)
{
	if (c->fd < 0 && pty_open(&c->fd, &c->guest_fd, &c->path, err) != 0)
		return -1;
	if (c->ring == NULL)
		c->ring = mem_zero(MAX_CONSOLE_RING);
	return console_log_open(&c->log, settings, required, err);
}

/* Adds bytes, at most MAX_CONSOLE_RING, to the ring. */
static void add_to_ring(struct console *c, const char *bytes, size_t n)
{
	size_t first = MAX_CONSOLE_RING - c->ring_end;

	if (first > n)
		first = n;
	memcpy(c->ring + c->ring_end, bytes, first);
	memcpy(c->ring, bytes + first, n - first);
	c->ring_end = (c->ring_end + n) % MAX_CONSOLE_RING;
	c->ring_length =
	    c->ring_length + n < MAX_CONSOLE_RING ? c->ring_length + n : MAX_CONSOLE_RING;
	c->total += n;
}

size_t console_copy(const struct console *c, uint64_t at, char *bytes, size_t max)
{
	size_t n = at < c->total ? (size_t)(c->total - at) : 0, start, first;

	/* The caller never wants a byte that the ring has overwritten. */
	assert(n <= c->ring_length);
	start = (c->ring_end + MAX_CONSOLE_RING - n) % MAX_CONSOLE_RING;
	if (n > max)
		n = max;
	if (n == 0)
		return 0;
	first = MAX_CONSOLE_RING - start;
	if (first > n)
		first = n;
	memcpy(bytes, c->ring + start, first);
	memcpy(bytes + first, c->ring, n - first);
	return n;
}

size_t console_type(struct console *c, const char *bytes, size_t n)
{
	ssize_t done = c->fd < 0 ? 0 : write(c->fd, bytes, n);

	return done < 0 ? 0 : (size_t)done;
}

bool console_read(struct console *c)
{
	char bytes[4096];
	ssize_t n = read(c->fd, bytes, sizeof(bytes));

	if (n <= 0)
		return false;
	add_to_ring(c, bytes, (size_t)n);
	if (c->notice != NULL)
		c->notice(c->notice_context, bytes, (size_t)n);
	if (c->hear != NULL)
		c->hear(c->hear_context, bytes, (size_t)n);
	console_log_write(&c->log, bytes, (size_t)n);
	return true;
}

void console_close(struct console *c)
{
	console_log_close(&c->log);
	if (c->fd >= 0)
		(void)close(c->fd);
	if (c->guest_fd >= 0)
		(void)close(c->guest_fd);
	free(c->path);
	free(c->ring);
	console_init(c);
}
