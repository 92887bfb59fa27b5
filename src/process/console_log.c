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
#include "base/str.h"
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
	/* newsyslog(8) and similar programs may have truncated it; only a file's size is used. */
	l->size = (int64_t)st.st_size;
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

/* Lines for one write: each is a head, which is the time or nothing, and what the guest printed. */
struct batch {
	struct str text;
	size_t torn;  /* bytes before all of them, which end a torn line */
	size_t head;  /* bytes */
	bool goes_on; /* the first line has no head, as it was begun before */
};

static void begin_batch(const struct console_log *l, struct batch *b)
{
	b->text.length = 0;
	b->goes_on = l->in_line;
	b->torn = l->is_torn && !l->in_line ? 1 : 0;
	str_add_n(&b->text, "\n", b->torn);
}

/* Returns how many of the first bytes of a batch are the guest's. */
static size_t count_guest(const struct batch *b, size_t written)
{
	const char *text = b->text.text;
	size_t at = b->torn + (b->goes_on ? 0 : b->head), done = 0;

	while (at < written) {
		const char *end = memchr(text + at, '\n', b->text.length - at);
		size_t next = end == NULL ? b->text.length : (size_t)(end - text) + 1;

		done += (next < written ? next : written) - at;
		at = next + b->head;
	}
	return done;
}

/* Returns the size of the log after the write; 0 if the log is not a regular file. */
static int64_t size_with(const struct console_log *l, const struct batch *b)
{
	return l->is_file ? l->size + (int64_t)b->text.length : 0;
}

/* Writes the batch, and adds to *at how many of the guest's bytes were written. */
static int write_batch(struct console_log *l, const struct batch *b, size_t *at, struct error *err)
{
	size_t done = write_all(l->fd, b->text.text, b->text.length);

	*at += count_guest(b, done);
	if (done > 0)
		l->last = b->text.text[done - 1];
	if (l->is_file)
		l->size += (int64_t)done;
	if (done < b->text.length)
		return set_error(l, err);
	l->is_torn = false;
	return 0;
}

/*
 * Writes line by line: each begins with its time, and no rotation cuts a line.  The lines between
 * two rotations are one write, and have the time at which they were read.
 */
static size_t write_lines(struct console_log *l, const char *bytes, size_t n, struct error *err)
{
	char date[DATE_TEXT] = "", head[DATE_TEXT + 1] = "";
	struct batch b = { .head = 0 };
	size_t at = 0, length;

	if (l->timestamps)
		b.head =
		    (size_t)snprintf(head, sizeof(head), "%s ", date_text(clock_date_ms(), date));
	begin_batch(l, &b);
	for (size_t next = 0; next < n; next += length) {
		const char *end = memchr(bytes + next, '\n', n - next);

		length = end == NULL ? n - next : (size_t)(end - bytes) + 1 - next;
		if (!l->in_line && size_with(l, &b) > 0 &&
		    size_with(l, &b) + (int64_t)(b.head + length) > l->max_size) {
			if (write_batch(l, &b, &at, err) != 0 || rotate(l, err) != 0)
				break;
			begin_batch(l, &b);
		}
		str_add_n(&b.text, head, l->in_line ? 0 : b.head);
		str_add_n(&b.text, bytes + next, length);
		/* A guest that never ends a line must not fill the disk. */
		l->in_line = end == NULL && size_with(l, &b) < 2 * l->max_size;
		if (next + length == n)
			(void)write_batch(l, &b, &at, err);
	}
	str_free(&b.text);
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
