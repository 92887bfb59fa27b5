/* The stream of events, and its queue for a slow reader. */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "output.h"

#define MAX_QUEUE_BYTES ((size_t)1 << 20) /* events beyond it are lost and counted */

struct event_line {
	STAILQ_ENTRY(event_line) next;
	size_t length;
	int64_t count; /* of events that are lost with the line */
	char text[];
};

/* Returns how many events are lost if this one is. */
static int64_t weight(const struct vmrun_event *event)
{
	return event->type == VMRUN_LOST ? event->lost : 1;
}

static const char *prepare_fd(struct events *e, const char *digits)
{
	char *end;
	long fd;
	int flags;

	errno = 0;
	fd = strtol(digits, &end, 10);
	if (*digits < '0' || *digits > '9' || *end != '\0' || errno != 0 || fd > INT_MAX)
		return "expected fd: and a number";
	flags = fcntl((int)fd, F_GETFL);
	if (flags < 0)
		return "no such descriptor is open";
	if ((flags & O_ACCMODE) == O_RDONLY)
		return "that descriptor is open for reading only";
	(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	e->fd = (int)fd;
	return NULL;
}

const char *events_prepare(struct events *e, const char *where, struct sink *sink)
{
	e->destination = where;
	e->sink = sink;
	e->fd = -1;
	STAILQ_INIT(&e->lines);
	if (*where == '\0')
		return "expected a file, fd:N or -";
	if (strncmp(where, "fd:", 3) == 0)
		return prepare_fd(e, where + 3);
	e->is_file = strcmp(where, "-") != 0;
	if (!e->is_file)
		e->fd = STDOUT_FILENO;
	return NULL;
}

/* Opens the file without blocking, because it may be a FIFO without a reader. */
static int open_file(const struct events *e)
{
	return open(e->destination,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
}

static const char *reason(int error)
{
	return error == ENXIO ? "no program reads it" : strerror(error);
}

int events_open(struct events *e, struct vmrun *vm, const char **why)
{
	e->vm = vmrun_name(vm);
	if (e->is_file) {
		e->fd = open_file(e);
		*why = reason(errno);
		return e->fd >= 0 ? 0 : STATUS_OS;
	}
	*why = "a serial port or loader of the spec has stdio: name a file or another descriptor";
	return e->fd <= STDOUT_FILENO && vmrun_uses_stdio(vm) ? STATUS_USAGE : 0;
}

static void drop_first(struct events *e)
{
	struct event_line *line = STAILQ_FIRST(&e->lines);

	STAILQ_REMOVE_HEAD(&e->lines, next);
	e->bytes -= line->length;
	e->done = 0;
	free(line);
}

/* Ends the stream with a warning. */
static void give_up(struct events *e, const char *why)
{
	sink_say(e->sink, LEVEL_WARNING, "--events %s: %s: no further events", e->destination, why);
	while (!STAILQ_EMPTY(&e->lines))
		drop_first(e);
	memset(&e->lost, 0, sizeof(e->lost));
	if (e->is_file)
		(void)close(e->fd);
	e->fd = -1;
}

/* Warns of an error of the destination, and ends the stream if it is permanent. */
static void handle_error(struct events *e, int error)
{
	if (error == EPIPE || error == EBADF || error == ECONNRESET || error == ENXIO) {
		give_up(e, strerror(error));
		return;
	}
	if (!e->failing)
		sink_say(e->sink, LEVEL_WARNING,
		    "--events %s: %s: events wait until it can be written to", e->destination,
		    strerror(error));
	e->failing = true;
}

/* Appends an event to the queue; returns false if it does not fit. */
static bool push(struct events *e, const struct vmrun_event *event)
{
	char *json = vmrun_event_json(event);
	size_t n = strlen(json) + 1;
	struct event_line *line =
	    n <= MAX_QUEUE_BYTES - e->bytes ? malloc(sizeof(*line) + n) : NULL;

	if (line != NULL) {
		memcpy(line->text, json, n - 1);
		line->text[n - 1] = '\n';
		line->length = n;
		line->count = weight(event);
		STAILQ_INSERT_TAIL(&e->lines, line, next);
		e->bytes += n;
	}
	free(json);
	return line != NULL;
}

/* Queues the event that reports lost events, once half of the queue is free. */
static void report_lost(struct events *e)
{
	if (e->lost.lost > 0 && e->bytes <= MAX_QUEUE_BYTES / 2 && push(e, &e->lost))
		memset(&e->lost, 0, sizeof(e->lost));
}

void events_flush(struct events *e)
{
	while (e->begun && e->fd >= 0) {
		const struct event_line *line;
		ssize_t n;

		report_lost(e);
		line = STAILQ_FIRST(&e->lines);
		if (line == NULL)
			return;
		n = output_some(e->fd, line->text + e->done, line->length - e->done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			handle_error(e, errno);
		if (n < 0)
			return;
		e->failing = false;
		e->done += (size_t)n;
		if (e->done == line->length)
			drop_first(e);
	}
}

void events_begin(struct events *e)
{
	e->begun = true;
	events_flush(e);
}

/* Counts an event that is lost. */
static void count_lost(struct events *e, const struct vmrun_event *event)
{
	e->lost = (struct vmrun_event){ .type = VMRUN_LOST,
		.name = "lost",
		.seq = event->seq,
		.vm = e->vm,
		.time_ms = event->time_ms,
		.lost = e->lost.lost + weight(event) };
}

void events_add(struct events *e, const struct vmrun_event *event)
{
	if (e->destination == NULL || e->fd < 0)
		return;
	/* on_prepare may have put the console on stdio after events_open() checked the spec. */
	if (event->console && e->fd <= STDOUT_FILENO) {
		give_up(e, "it is the guest's console now");
		return;
	}
	events_flush(e);
	/* Events after a lost one are lost, too, until the queue has the report of them. */
	if (e->fd >= 0 && (e->lost.lost > 0 || !push(e, event)))
		count_lost(e, event);
	events_flush(e);
}

int events_fd(const struct events *e)
{
	return e->begun && !STAILQ_EMPTY(&e->lines) && !e->failing ? e->fd : -1;
}

void events_reopen(struct events *e)
{
	int fd;

	if (!e->is_file)
		return;
	fd = open_file(e);
	if (fd < 0) {
		sink_say(e->sink, LEVEL_WARNING, "--events %s: %s: not opened again",
		    e->destination, reason(errno));
		return;
	}
	if (e->fd >= 0)
		(void)close(e->fd);
	e->fd = fd;
	e->done = 0; /* the new file gets all of a line that the old file has in part */
	e->failing = false;
	events_flush(e);
}

/* Returns the number of events that were not written. */
static int64_t count_unwritten(const struct events *e)
{
	const struct event_line *line;
	int64_t n = e->lost.lost;

	STAILQ_FOREACH(line, &e->lines, next)
	n += line->count;
	return n;
}

/* Writes until the queue is empty or the reader accepts nothing for OUTPUT_TIMEOUT_MS. */
static void flush_until_blocked(struct events *e)
{
	size_t before;

	do {
		before = e->bytes - e->done;
		events_flush(e);
	} while (events_fd(e) >= 0 && e->bytes - e->done < before &&
	    output_ready(e->fd, OUTPUT_TIMEOUT_MS));
}

void events_close(struct events *e)
{
	events_flush(e);
	if (events_fd(e) >= 0 && output_ready(e->fd, OUTPUT_TIMEOUT_MS))
		flush_until_blocked(e);
	if (e->begun && count_unwritten(e) > 0)
		sink_say(e->sink, LEVEL_WARNING, "--events %s: %" PRId64 " events were lost",
		    e->destination, count_unwritten(e));
	while (!STAILQ_EMPTY(&e->lines))
		drop_first(e);
	if (e->is_file && e->fd >= 0)
		(void)close(e->fd);
	e->fd = -1;
	e->destination = NULL;
}
