/*
 * A serial port that vmrun owns: a terminal of its own for the guest, kept over all boots, whose
 * output goes into a log and into a ring that holds the newest bytes.
 */
#ifndef PROCESS_CONSOLE_H
#define PROCESS_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "process/console_log.h"
#include "spec/spec.h"

#define CONSOLE_RING 65536

struct console {
	int ours, theirs; /* -1: not open */
	char *path;	  /* what the hypervisor opens */
	struct console_log log;
	char *ring;
	size_t ring_end, ring_length;
	uint64_t total; /* bytes ever */
	/* Hears what comes, or NULL. */
	void (*hear)(void *context, const char *bytes, size_t n);
	void *hear_context;
};

void console_init(struct console *c);
/*
 * Opens the terminal and the log of these settings, if they are not open.  A log that cannot be
 * opened is an error where it is required, else a warning.
 */
int console_open(
    struct console *c, const struct console_settings *settings, bool required, struct error *err);
/* The terminal is readable: takes some of what is there now; false when nothing is. */
bool console_read(struct console *c);
/* Copies from the ring what was printed from the at-th byte on, at most `most` bytes: how many. */
size_t console_copy(const struct console *c, uint64_t at, char *bytes, size_t most);
/* Types for the guest, what its line takes now: how many bytes. */
size_t console_type(struct console *c, const char *bytes, size_t n);
void console_close(struct console *c);

#endif
