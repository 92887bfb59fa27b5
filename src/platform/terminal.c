/*
 * Terminals: the state of one that a hypervisor shares and changes, and pairs of pseudo terminals.
 */
#define _GNU_SOURCE /* posix_openpt() and its family; _XOPEN_SOURCE hides B115200 on FreeBSD */
#include "platform/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

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

/* Makes a line pass bytes unchanged: cfmakeraw(3), which POSIX lacks. */
static int make_raw(int fd)
{
	struct termios modes;

	if (tcgetattr(fd, &modes) != 0)
		return -1;
	modes.c_iflag &=
	    (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	modes.c_oflag &= (tcflag_t)~OPOST;
	modes.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	modes.c_cflag &= (tcflag_t) ~(CSIZE | PARENB);
	modes.c_cflag |= CS8;
	modes.c_cc[VMIN] = 1;
	modes.c_cc[VTIME] = 0;
	/* FreeBSD buffers by the speed (tty_watermarks()): 2 KB at the 9600 of a new one. */
	(void)cfsetispeed(&modes, B115200);
	(void)cfsetospeed(&modes, B115200);
	return tcsetattr(fd, TCSANOW, &modes);
}

static int open_theirs(int ours, int *theirs, char **path)
{
	const char *name;

	if (grantpt(ours) != 0 || unlockpt(ours) != 0 || (name = ptsname(ours)) == NULL)
		return -1;
	*theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*theirs < 0 || make_raw(*theirs) != 0)
		return -1;
	*path = mem_copy(name);
	return 0;
}

int pty_open(int *ours, int *theirs, char **path, struct error *err)
{
	*theirs = -1;
	*ours = posix_openpt(O_RDWR | O_NOCTTY);
	if (*ours >= 0 && fcntl(*ours, F_SETFD, FD_CLOEXEC) == 0 &&
	    fcntl(*ours, F_SETFL, O_NONBLOCK) == 0 && open_theirs(*ours, theirs, path) == 0)
		return 0;
	(void)error_set(err, STATUS_OS, "cannot make a terminal: %s", strerror(errno));
	if (*ours >= 0)
		(void)close(*ours);
	if (*theirs >= 0)
		(void)close(*theirs);
	*ours = *theirs = -1;
	return -1;
}
