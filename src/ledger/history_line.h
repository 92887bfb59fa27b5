/* A line of the history of a VM: how a boot or a vmrun ended. */
#ifndef LEDGER_HISTORY_LINE_H
#define LEDGER_HISTORY_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_HISTORY_TEXT 4096 /* bytes of each text of a line; of output the last ones */

/* Members that do not apply are NULL, or as the comment says. */
struct history_line {
	const char *kind; /* "boot", or "vmrun" */
	int64_t time_ms;  /* clock_date_ms() */
	int64_t boot;	  /* counts from 1; 0: none */
	const char *target, *cause;
	int status;	   /* -1: none */
	int signal;	   /* 0: none */
	int64_t uptime_ms; /* -1: none */
	const char *ended_by;
	const char *errors, *console; /* of history_line_output() */
	const char *action, *next, *by;
	int exit_status; /* -1: none */
	const char *text;
};

#define HISTORY_LINE                                                             \
	{                                                                        \
		.kind = "boot", .status = -1, .uptime_ms = -1, .exit_status = -1 \
	}

/* Returns a copy that has its own texts; free() frees it with them. */
struct history_line *history_line_copy(const struct history_line *line);
/* Returns a line as JSON in UTF-8, without its newline.  Caller frees. */
char *history_line_json(const struct history_line *line);
/* Returns the line of a vmrun that died without one.  Caller frees. */
char *history_line_of_death(pid_t pid);
/*
 * Returns the end of some output as UTF-8, at most MAX_HISTORY_TEXT bytes, without NULs.  Caller
 * frees.
 */
char *history_line_output(const char *bytes, size_t n);

#endif
