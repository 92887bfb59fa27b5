/*
 * STATE-DIR/NAME/history.jsonl: the last ends of the boots and of the vmruns of a VM, a line each;
 * and STATE-DIR/NAME/running, which names the vmrun that runs, so that the next one knows of a
 * death without a line.
 */
#ifndef LEDGER_HISTORY_FILE_H
#define LEDGER_HISTORY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define HISTORY_FILE_NAME "history.jsonl"
#define HISTORY_FILE_RUNNING "running"
#define MAX_HISTORY_LINES 200 /* lines that are kept when the file is trimmed */
/* Lines beyond these, before a running vmrun trims it: that waits for the disk, so it is rare. */
#define MAX_HISTORY_SPARE 200
#define MAX_HISTORY_BYTES ((size_t)32 << 20) /* that are read of it, from the end */

/* A zeroed struct keeps no history. */
struct history_file {
	char *directory; /* STATE-DIR/NAME; NULL: none is kept */
	bool is_marked;	 /* `running` names this process */
	bool is_counted, is_torn;
	size_t lines; /* of the file, once they are counted */
};

/*
 * Begins the history of this process: writes `running`, and sets *died to the pid of a vmrun that
 * died and left such a file, or to 0.  Returns -1 with STATUS_OS when `running` cannot be written.
 */
int history_file_open(
    struct history_file *h, const char *directory, pid_t *died, struct error *err);
/*
 * Adds a line, and trims the file when it has too many.  Returns -1 with STATUS_OS when the line is
 * not in the file.
 */
int history_file_add(struct history_file *h, const char *line, struct error *err);
/*
 * Trims the file, removes `running`, and frees the struct.  Returns -1 with errno if the file
 * stays, which then is empty if it can be: an empty one tells of no death.
 */
int history_file_close(struct history_file *h);

/*
 * Reads the last MAX_HISTORY_LINES lines, the newest last; *text, which the caller frees, is NULL
 * if the file does not exist.  After a crash the last line may be incomplete.
 * Returns -1 with STATUS_OS, or STATUS_DENIED.
 */
int history_file_read(const char *directory, char **text, struct error *err);
/* Returns the pid of a vmrun that died and that no line tells of, or 0. */
pid_t history_file_death(const char *directory);

#endif
