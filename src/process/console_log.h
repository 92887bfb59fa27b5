/*
 * The log of a console: a file with what the guest prints.  A fault of the log is a warning and
 * stops nothing; the next write tries again, and a warning then says how many bytes were lost.
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
	bool is_file;		/* a regular one, which grows */
	bool timestamps;	/* each line begins with the time */
	bool in_line;		/* the end of the present line is still to come */
	int64_t size, max_size; /* bytes */
	int64_t keep;		/* the number of older logs: LOG.1 is the newest of them */
	char last;		/* the byte written last; a line end when there is none */
	bool is_torn;		/* a fault cut the last line of the log off */
	bool has_warned;	/* that output is being lost */
	int64_t quiet_until_ms; /* there is no warning of another fault before */
	int64_t lost;		/* bytes that no warning has counted yet */
	/* Hears warnings, or NULL. */
	void (*warn)(void *context, const char *text);
	void *warn_context;
};

void console_log_init(struct console_log *l);
/*
 * Opens the log of these settings, unless it is open.  When that fails: STATUS_OS where the log is
 * required, else a warning, and 0.
 */
int console_log_open(struct console_log *l, const struct console_settings *settings, bool required,
    struct error *err);
/* Closes the log and opens the file of its name, which is a new one if the log was renamed. */
void console_log_reopen(struct console_log *l);
void console_log_write(struct console_log *l, const char *bytes, size_t n);
/* Warns of bytes that were lost, if any: nothing is written after this. */
void console_log_finish(struct console_log *l);
void console_log_close(struct console_log *l);

#endif
