/* What a hypervisor changes on descriptors it shares with us. */
#include "platform/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

void terminal_save(struct terminal_state *state, int fd)
{
	/* A signal handler may restore it at any moment: not what is half there. */
	state->is_tty = false;
	state->fd = fd;
	state->flags = fcntl(fd, F_GETFL);
	state->is_tty = state->flags >= 0 && tcgetattr(fd, &state->modes) == 0;
}

/* Member by member: what lies between them is not defined. */
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
	/* A background process that does not block it is stopped by the next call. */
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &stop, &before);
	/* At once: output that nobody takes must not hold us up. */
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
