/*
 * The console: a serial port of the guest that vmrun owns, a pseudo-terminal that stays open
 * across boots.  Its output goes into a log, and into a ring that holds the newest bytes.
 */
#ifndef PROCESS_CONSOLE_H
#define PROCESS_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "process/console_log.h"
#include "spec/spec.h"

#define MAX_CONSOLE_RING 65536 /* newest bytes of output that the ring holds */

struct console {
	int fd;	      /* vmrun's end of the terminal, -1: not open */
	int guest_fd; /* the guest's end, which keeps the terminal alive between two boots */
	char *path;   /* of the guest's end, for the hypervisor to open */
	struct console_log log;
	char *ring;
	size_t ring_end, ring_length;
	uint64_t total; /* bytes printed so far */
	/* Both are called with the guest's output, `notice` first; or NULL. */
	void (*notice)(void *context, const char *bytes, size_t n);
	void *notice_context;
	void (*hear)(void *context, const char *bytes, size_t n);
	void *hear_context;
};

/* Prepares a console that is not open. */
void console_init(struct console *c);
/*
 * Opens the terminal and the log of these settings, unless they are open.  A log that cannot be
 * opened is an error where it is required, else a warning.
 */
int console_open(
    struct console *c, const struct console_settings *settings, bool required, struct error *err);
/* Reads the terminal once; returns false if there is no output now. */
bool console_read(struct console *c);
/* Copies up to max bytes of the output from byte `at` on; returns how many. */
size_t console_copy(const struct console *c, uint64_t at, char *bytes, size_t max);
/* Sends the guest as many bytes as the terminal takes now; returns how many. */
size_t console_type(struct console *c, const char *bytes, size_t n);
/* Closes the terminal and the log, and frees the ring. */
void console_close(struct console *c);

#endif
