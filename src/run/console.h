/*
 * A serial port that vmrun owns: a terminal of its own for the guest, kept over all boots, whose
 * output goes into a log and into a ring that holds the newest bytes.
 */
#ifndef RUN_CONSOLE_H
#define RUN_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spec/spec.h"

#define CONSOLE_RING 65536

struct console {
	int ours, theirs; /* -1: not open */
	char *path;	  /* what the hypervisor opens */
	int log;	  /* -1: none */
	char *log_path;
	bool timestamps, in_line; /* is a line of the log begun? */
	int64_t size, max_size;	  /* bytes */
	int64_t keep;		  /* older logs: LOG.1 is the newest of them */
	bool log_failed;	  /* said once */
	char *ring;
	size_t ring_end, ring_length;
	uint64_t total; /* bytes ever */
	/* Hears what comes, or NULL. */
	void (*hear)(void *context, const char *bytes, size_t n);
	void *hear_context;
};

void console_init(struct console *c);
/* Opens the terminal, if it is not open, and the log of these settings. */
int console_open(struct console *c, const struct console_settings *settings, struct error *err);
/* Somebody has renamed the log: makes a new one, or goes on with what has its name. */
int console_reopen_log(struct console *c, struct error *err);
/*
 * The terminal is readable: takes some of what is there now, 1, or 0 when nothing is.  -1 with
 * STATUS_OS, once, when the log cannot be written; the VM goes on.
 */
int console_read(struct console *c, struct error *err);
/* Copies from the ring what was printed from the at-th byte on, at most `most` bytes: how many. */
size_t console_copy(const struct console *c, uint64_t at, char *bytes, size_t most);
/* Types for the guest, what its line takes now: how many bytes. */
size_t console_type(struct console *c, const char *bytes, size_t n);
void console_close(struct console *c);

#endif
