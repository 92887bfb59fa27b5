/*
 * The state of a descriptor that a hypervisor shares and changes: terminal modes and O_NONBLOCK.
 * Saved before the hypervisor starts, restored after its end.
 */
#ifndef PLATFORM_TERMINAL_H
#define PLATFORM_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal_state {
	int fd;
	int flags; /* F_GETFL, or -1 when the descriptor is closed */
	bool is_tty;
	struct termios modes;
};

void terminal_save(struct terminal_state *state, int fd);
/* Restores the state if it differs.  Never stops this process when it is in the background. */
void terminal_restore(const struct terminal_state *state);

#endif
