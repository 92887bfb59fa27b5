/* The file with the guest's output: writes, rotates, and warns of lost bytes. */
#include "process/console_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/mem.h"
#include "platform/clock.h"
#include "platform/io.h"

/* Time between two warnings: a slow reader or a full disk must not cause one for each write. */
#define QUIET_MS 60000

void console_log_init(struct console_log *l)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->last = '\n';
}

static const char *reason_of(int error)
{
	switch (error) {
	case EAGAIN:
		return "its reader is too slow";
	case ENXIO:
	case EPIPE:
		return "no program reads it";
	default:
		return strerror(error);
	}
}

static int set_error(const struct console_log *l, struct error *err)
{
	return error_set(err, STATUS_OS, "console: cannot write %s: %s", l->path, reason_of(errno));
}

static void close_log(struct console_log *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	l->in_line = false;
}

/* Opens the log for its owner alone, as a guest may print secrets. */
static int open_log(struct console_log *l, int flags, struct error *err)
{
	struct stat st;

	close_log(l);
	l->fd = open(l->path,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, 0600);
	if (l->fd < 0 || fstat(l->fd, &st) != 0)
		return set_error(l, err);
	l->is_file = S_ISREG(st.st_mode);
	l->size = l->is_file ? (int64_t)st.st_size : 0;
	if (l->size == 0) {
		l->is_torn = false;
		l->last = '\n';
	}
	return 0;
}

/* Opens the log if it is not open, or was removed so that no program can read it. */
static int ensure_log(struct console_log *l, struct error *err)
{
	struct stat st;

	if (l->fd < 0 || fstat(l->fd, &st) != 0 || (l->is_file && st.st_nlink == 0))
		return open_log(l, 0, err);
	/* newsyslog(8) and similar programs may have truncated the log. */
	l->size = l->is_file ? (int64_t)st.st_size : 0;
	return 0;
}

static void warn(struct console_log *l, const char *text)
{
	if (l->warn != NULL)
		l->warn(l->warn_context, text);
}

static void warn_of_loss(struct console_log *l, const char *why)
{
	MEM_AUTO char *text =
	    mem_format("%s: the guest's output is not logged until this works", why);

	warn(l, text);
	l->has_warned = true;
	l->quiet_until_ms = clock_ms() + QUIET_MS;
}

/* Counts bytes that were lost, and warns unless a warning was just given. */
static void count_lost(struct console_log *l, size_t n, const char *why)
{
	l->lost += (int64_t)n;
	l->in_line = false;
	l->is_torn = l->last != '\n';
	if (!l->has_warned && clock_ms() >= l->quiet_until_ms)
		warn_of_loss(l, why);
}

/* Warns of the missing bytes once the log works again. */
static void warn_of_gap(struct console_log *l)
{
	MEM_AUTO char *text = NULL;

	if (!l->has_warned && (l->lost == 0 || clock_ms() < l->quiet_until_ms))
		return;
	text = mem_format("console: %s is written again, %" PRId64
			  " bytes of the guest's output are missing in it",
	    l->path, l->lost);
	warn(l, text);
	l->has_warned = false;
	l->lost = 0;
	l->quiet_until_ms = clock_ms() + QUIET_MS;
}

void console_log_finish(struct console_log *l)
{
	MEM_AUTO char *text = NULL;

	if (l->lost > 0) {
		text =
		    mem_format("console: %" PRId64 " bytes of the guest's output are missing in %s",
			l->lost, l->path);
		warn(l, text);
	}
	l->has_warned = false;
	l->lost = 0;
}

int console_log_open(struct console_log *l, const struct console_settings *settings, bool required,
    struct error *err)
{
	ERROR_AUTO struct error why = { 0 };

	l->timestamps = settings->timestamps;
	l->max_size = settings->max_size;
	l->keep = settings->keep;
	if (l->path == NULL || settings->log == NULL || strcmp(l->path, settings->log) != 0) {
		console_log_finish(l);
		close_log(l);
		free(l->path);
		l->path = settings->log == NULL ? NULL : mem_copy(settings->log);
		l->quiet_until_ms = 0;
	}
	if (l->path == NULL || ensure_log(l, required ? err : &why) == 0)
		return 0;
	if (required)
		return -1;
	if (!l->has_warned)
		warn_of_loss(l, why.text);
	return 0;
}

void console_log_reopen(struct console_log *l)
{
	ERROR_AUTO struct error why = { 0 };

	if (l->path == NULL || open_log(l, 0, &why) == 0)
		return;
	warn_of_loss(l, why.text);
}

static char *name_of(const struct console_log *l, int64_t number)
{
	return number == 0 ? mem_copy(l->path) : mem_format("%s.%" PRId64, l->path, number);
}

/*
 * Returns the first number without a file, up to which names move: a rotation that failed half-way
 * and is tried again pushes no older log out.
 */
static int64_t first_free(const struct console_log *l)
{
	int64_t number = 0;

	for (; number < l->keep; number++) {
		MEM_AUTO char *name = name_of(l, number);
		struct stat st;

		if (lstat(name, &st) != 0 && errno == ENOENT)
			break;
	}
	return number;
}

/* Renames LOG to LOG.1, LOG.1 to LOG.2, ...; the oldest is lost. */
static int rotate(struct console_log *l, struct error *err)
{
	for (int64_t i = first_free(l); i > 0; i--) {
		MEM_AUTO char *from = name_of(l, i - 1);
		MEM_AUTO char *to = name_of(l, i);

		if (rename(from, to) != 0)
			return error_set(err, STATUS_OS,
			    "console: %s has reached its max_size, and %s cannot be renamed to "
			    "%s: %s",
			    l->path, from, to, strerror(errno));
	}
	/* Opened by its name, as another program may have renamed the open log. */
	return open_log(l, l->keep == 0 ? O_TRUNC : 0, err);
}

static size_t write_bytes(struct console_log *l, const char *bytes, size_t n, struct error *err)
{
	size_t done = write_all(l->fd, bytes, n);

	if (done < n)
		(void)set_error(l, err);
	if (done > 0)
		l->last = bytes[done - 1];
	if (l->is_file)
		l->size += (int64_t)done;
	return done;
}

/* Begins a line: rotates the log if it has no room, ends a torn line, and writes the time. */
static int begin_line(struct console_log *l, size_t length, struct error *err)
{
	char head[DATE_TEXT + 1], date[DATE_TEXT];
	size_t n = 0;

	if (l->timestamps)
		n = (size_t)snprintf(head, sizeof(head), "%s ", date_text(clock_date_ms(), date));
	if (l->size > 0 && l->size + (int64_t)(n + length) > l->max_size && rotate(l, err) != 0)
		return -1;
	if (l->is_torn && write_bytes(l, "\n", 1, err) < 1)
		return -1;
	l->is_torn = false;
	return write_bytes(l, head, n, err) < n ? -1 : 0;
}

/* Writes line by line: each begins with its time, and no rotation cuts a line. */
static size_t write_lines(struct console_log *l, const char *bytes, size_t n, struct error *err)
{
	size_t at = 0;

	while (at < n) {
		const char *end = memchr(bytes + at, '\n', n - at);
		size_t length = end == NULL ? n - at : (size_t)(end - bytes) + 1 - at;
		size_t done;

		if (!l->in_line && begin_line(l, length, err) != 0)
			break;
		done = write_bytes(l, bytes + at, length, err);
		at += done;
		if (done < length)
			break;
		/* A guest that never ends a line must not fill the disk. */
		l->in_line = end == NULL && l->size < 2 * l->max_size;
	}
	return at;
}

void console_log_write(struct console_log *l, const char *bytes, size_t n)
{
	ERROR_AUTO struct error why = { 0 };
	size_t done = 0;

	if (l->path == NULL)
		return;
	if (ensure_log(l, &why) == 0)
		done = write_lines(l, bytes, n, &why);
	if (done < n)
		count_lost(l, n - done, why.text);
	else
		warn_of_gap(l);
}

void console_log_close(struct console_log *l)
{
	close_log(l);
	free(l->path);
	console_log_init(l);
}
