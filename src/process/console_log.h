/*
 * The log of a console: a file with the guest's output.  An error of the log is a warning and stops
 * nothing; the next write tries again, and a warning then says how many bytes were lost.
 */
#ifndef PROCESS_CONSOLE_LOG_H
#define PROCESS_CONSOLE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spec/spec.h"

struct console_log {
	char *path;		/* NULL: no log is wanted */
	int fd;			/* -1: not open now */
	bool is_file;		/* a regular file, which grows */
	bool timestamps;	/* each line begins with the time */
	bool in_line;		/* the last line has no end yet */
	int64_t size, max_size; /* bytes */
	int64_t keep;		/* the number of older logs: LOG.1 is the newest of them */
	char last;		/* the last byte written; a line end if there is none */
	bool is_torn;		/* an error cut off the last line of the log */
	bool has_warned;	/* of output that is being lost */
	int64_t quiet_until_ms; /* no other warning of an error before this time */
	int64_t lost;		/* bytes that no warning has counted yet */
	/* Called with each warning, or NULL. */
	void (*warn)(void *context, const char *text);
	void *warn_context;
};

/* Prepares a log that is not open. */
void console_log_init(struct console_log *l);
/*
 * Opens the log of these settings, unless it is open.  On failure, returns -1 with STATUS_OS if the
 * log is required; otherwise warns and returns 0.
 */
int console_log_open(struct console_log *l, const struct console_settings *settings, bool required,
    struct error *err);
/* Closes the log and opens the file of its name, which is a new one if the log was renamed. */
void console_log_reopen(struct console_log *l);
/* Writes output: rotates the log when it is full, and adds timestamps.  An error is a warning. */
void console_log_write(struct console_log *l, const char *bytes, size_t n);
/* Warns of lost bytes, if any.  The caller writes nothing after this. */
void console_log_finish(struct console_log *l);
/* Closes the log and frees what it owns. */
void console_log_close(struct console_log *l);

#endif
