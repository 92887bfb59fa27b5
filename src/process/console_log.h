/*
 * The log of a console: a file that keeps what the guest prints.  A fault of the log is a warning
 * and never the end of anything; the next write tries again, and what was lost in between is
 * counted and told.
 */
#ifndef PROCESS_CONSOLE_LOG_H
#define PROCESS_CONSOLE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spec/spec.h"

struct console_log {
	char *path;		  /* NULL: no log is wanted */
	int fd;			  /* -1: not open now */
	bool is_file;		  /* a regular one, which grows */
	bool timestamps, in_line; /* is a line of the log begun? */
	int64_t size, max_size;	  /* bytes */
	int64_t keep;		  /* older logs: LOG.1 is the newest of them */
	char last;		  /* the byte written last; a line end when there is none */
	bool torn;		  /* a fault ended a line before its end */
	bool told;		  /* that output is being lost */
	int64_t quiet_until_ms;	  /* another fault is not told before */
	int64_t lost;		  /* bytes that were not told of yet */
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
/* Closes the log and opens what has its name now; makes a new one where it was renamed. */
void console_log_reopen(struct console_log *l);
void console_log_write(struct console_log *l, const char *bytes, size_t n);
/* Tells how much was lost, if anything: the run is over. */
void console_log_finish(struct console_log *l);
void console_log_close(struct console_log *l);

#endif
