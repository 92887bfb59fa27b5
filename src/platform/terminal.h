/*
 * Terminals.  The state of a descriptor that a hypervisor shares and changes (terminal modes and
 * O_NONBLOCK) is saved before the hypervisor starts and restored after its end.  A pair of pseudo
 * terminals is a serial line with vmrun at the other end.
 */
#ifndef PLATFORM_TERMINAL_H
#define PLATFORM_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

#include "base/error.h"

struct terminal_state {
	int fd;
	int flags; /* F_GETFL, or -1 when the descriptor is closed */
	bool is_tty;
	struct termios modes;
};

void terminal_save(struct terminal_state *state, int fd);
/* Restores the state if it differs.  Never stops this process when it is in the background. */
void terminal_restore(const struct terminal_state *state);

/*
 * Opens a pair in raw mode, close-on-exec; ours is non-blocking.  The caller keeps theirs open, so
 * that ours never sees a hang-up while no other program has the line open.  *path, which the caller
 * frees, is the file for the other program.  Fails with STATUS_OS; nothing is open then, and both
 * are -1.
 */
int pty_open(int *ours, int *theirs, char **path, struct error *err);

#endif
