/*
 * What a hypervisor changes on descriptors it shares with us: terminal modes and O_NONBLOCK.
 * Taken before it starts, put back after it has ended, however it ended.
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
/* Does nothing when nothing differs. Never stops this process when it is in the background. */
void terminal_restore(const struct terminal_state *state);

#endif
