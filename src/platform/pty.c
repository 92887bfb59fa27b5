/* Pseudo terminals. */
#define _XOPEN_SOURCE 700 /* posix_openpt() and its family */
#include "platform/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

/* Makes a line pass bytes unchanged: cfmakeraw(3), which POSIX lacks.
 */
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
	return -1;
}
