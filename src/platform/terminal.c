/* The state of a descriptor that a hypervisor shares and changes. */
#include "platform/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

void terminal_save(struct terminal_state *state, int fd)
{
	/* A signal handler may restore the state at any moment, but not an incomplete one. */
	state->is_tty = false;
	state->fd = fd;
	state->flags = fcntl(fd, F_GETFL);
	state->is_tty = state->flags >= 0 && tcgetattr(fd, &state->modes) == 0;
}

/* Compares member by member: the padding between them is undefined. */
static bool is_same(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	    a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0 &&
	    cfgetispeed(a) == cfgetispeed(b) && cfgetospeed(a) == cfgetospeed(b);
}

static void restore_modes(const struct terminal_state *state)
{
	struct termios now;
	sigset_t stop, before;

	if (tcgetattr(state->fd, &now) < 0 || is_same(&now, &state->modes))
		return;
	/* The next call would stop a background process that does not block SIGTTOU. */
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &stop, &before);
	/* Without waiting for output that no other process reads. */
	(void)tcsetattr(state->fd, TCSANOW, &state->modes);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

void terminal_restore(const struct terminal_state *state)
{
	if (state->flags < 0)
		return;
	if (state->is_tty)
		restore_modes(state);
	if (fcntl(state->fd, F_GETFL) != state->flags)
		(void)fcntl(state->fd, F_SETFL, state->flags);
}
