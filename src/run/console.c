/* The guest's serial line in our hands. */
#include "run/console.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/pty.h"

void console_init(struct console *c)
{
	memset(c, 0, sizeof(*c));
	c->ours = c->theirs = c->log = -1;
}

static int log_fault(struct console *c, struct error *err)
{
	c->log_failed = true;
	return error_set(
	    err, STATUS_OS, "console: cannot write %s: %s", c->log_path, strerror(errno));
}

static int open_log(struct console *c, struct error *err)
{
	struct stat st;

	/* A guest may print what only its owner should read. */
	c->log = open(c->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600);
	if (c->log < 0 || fstat(c->log, &st) != 0)
		return log_fault(c, err);
	c->size = S_ISREG(st.st_mode) ? (int64_t)st.st_size : 0;
	return 0;
}

static void close_log(struct console *c)
{
	if (c->log >= 0)
		(void)close(c->log);
	c->log = -1;
}

int console_open(struct console *c, const struct console_settings *settings, struct error *err)
{
	bool same =
	    c->log_path != NULL && settings->log != NULL && strcmp(c->log_path, settings->log) == 0;

	if (c->ours < 0 && pty_open(&c->ours, &c->theirs, &c->path, err) != 0)
		return -1;
	if (c->ring == NULL)
		c->ring = mem_zero(CONSOLE_RING);
	c->timestamps = settings->timestamps;
	c->max_size = settings->max_size;
	c->keep = settings->keep;
	if (same && c->log >= 0)
		return 0;
	close_log(c);
	free(c->log_path);
	c->log_path = settings->log == NULL ? NULL : mem_copy(settings->log);
	c->in_line = false;
	return c->log_path == NULL ? 0 : open_log(c, err);
}

int console_reopen_log(struct console *c, struct error *err)
{
	if (c->log_path == NULL)
		return 0;
	close_log(c);
	c->log_failed = false;
	c->in_line = false;
	return open_log(c, err);
}

/* LOG becomes LOG.1, LOG.1 becomes LOG.2, ...; the oldest goes. */
static int rotate(struct console *c, struct error *err)
{
	close_log(c);
	for (int64_t i = c->keep; i > 0; i--) {
		MEM_AUTO char *to = mem_format("%s.%lld", c->log_path, (long long)i);
		MEM_AUTO char *from = i == 1 ? mem_copy(c->log_path)
					     : mem_format("%s.%lld", c->log_path, (long long)i - 1);

		(void)rename(from, to);
	}
	if (c->keep == 0)
		(void)unlink(c->log_path);
	return open_log(c, err);
}

static int put(struct console *c, const char *bytes, size_t n, struct error *err)
{
	if (c->size > 0 && c->size + (int64_t)n > c->max_size && !c->in_line && rotate(c, err) != 0)
		return -1;
	if (write(c->log, bytes, n) != (ssize_t)n)
		return log_fault(c, err);
	c->size += (int64_t)n;
	return 0;
}

static int put_time(struct console *c, struct error *err)
{
	char text[40];
	struct timespec now;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(text + n, sizeof(text) - n, ".%03ldZ ", now.tv_nsec / 1000000);
	return put(c, text, n, err);
}

/* Line by line, so that each begins with its time and no line is cut by a rotation. */
static int write_log(struct console *c, const char *bytes, size_t n, struct error *err)
{
	while (n > 0) {
		const char *end = memchr(bytes, '\n', n);
		size_t length = end == NULL ? n : (size_t)(end - bytes) + 1;

		if (!c->in_line && c->timestamps && put_time(c, err) != 0)
			return -1;
		if (c->timestamps)
			c->in_line = true; /* what follows a time stays with it */
		if (put(c, bytes, length, err) != 0)
			return -1;
		/* A guest that never ends a line does not fill the disk. */
		c->in_line = end == NULL && c->size < 2 * c->max_size;
		bytes += length;
		n -= length;
	}
	return 0;
}

static void keep_in_ring(struct console *c, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		c->ring[c->ring_end] = bytes[i];
		c->ring_end = (c->ring_end + 1) % CONSOLE_RING;
	}
	c->ring_length = c->ring_length + n < CONSOLE_RING ? c->ring_length + n : CONSOLE_RING;
	c->total += n;
}

size_t console_copy(const struct console *c, uint64_t at, char *bytes, size_t most)
{
	size_t n = at < c->total ? (size_t)(c->total - at) : 0, start;

	/* The caller knows what the ring still has. */
	assert(n <= c->ring_length);
	start = (c->ring_end + CONSOLE_RING - n) % CONSOLE_RING;
	if (n > most)
		n = most;
	for (size_t i = 0; i < n; i++)
		bytes[i] = c->ring[(start + i) % CONSOLE_RING];
	return n;
}

size_t console_type(struct console *c, const char *bytes, size_t n)
{
	ssize_t done = c->ours < 0 ? 0 : write(c->ours, bytes, n);

	return done < 0 ? 0 : (size_t)done;
}

int console_read(struct console *c, struct error *err)
{
	char bytes[4096];
	ssize_t n = read(c->ours, bytes, sizeof(bytes));

	if (n <= 0)
		return 0;
	keep_in_ring(c, bytes, (size_t)n);
	if (c->hear != NULL)
		c->hear(c->hear_context, bytes, (size_t)n);
	if (c->log < 0 || c->log_failed)
		return 1;
	return write_log(c, bytes, (size_t)n, err) == 0 ? 1 : -1;
}

void console_close(struct console *c)
{
	close_log(c);
	if (c->ours >= 0)
		(void)close(c->ours);
	if (c->theirs >= 0)
		(void)close(c->theirs);
	free(c->path);
	free(c->log_path);
	free(c->ring);
	console_init(c);
}
