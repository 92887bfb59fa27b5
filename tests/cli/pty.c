/*
 * pty COMMAND...: runs a command at a terminal of its own, passes bytes between that and our stdin
 * and stdout, and ends as the command does.  Its last line on stderr says what the command did to
 * the terminal: "terminal: touched, restored" and the like.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* TIOCSCTTY */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct terminal {
	int master, slave;
	struct termios modes;
	int flags;
	bool touched;
};

static void die(const char *what)
{
	perror(what);
	exit(70);
}

static bool is_as_before(const struct terminal *t)
{
	struct termios now;

	if (tcgetattr(t->slave, &now) != 0)
		die("tcgetattr");
	return now.c_iflag == t->modes.c_iflag && now.c_oflag == t->modes.c_oflag &&
	    now.c_cflag == t->modes.c_cflag && now.c_lflag == t->modes.c_lflag &&
	    memcmp(now.c_cc, t->modes.c_cc, sizeof(now.c_cc)) == 0 &&
	    fcntl(t->slave, F_GETFL) == t->flags;
}

/* Opens the terminal.  The command shares the slave's open file, so O_NONBLOCK is seen here. */
static void open_terminal(struct terminal *t)
{
	t->master = posix_openpt(O_RDWR | O_NOCTTY);
	if (t->master < 0 || grantpt(t->master) != 0 || unlockpt(t->master) != 0)
		die("posix_openpt");
	t->slave = open(ptsname(t->master), O_RDWR | O_NOCTTY);
	if (t->slave < 0 || tcgetattr(t->slave, &t->modes) != 0)
		die("slave");
	t->flags = fcntl(t->slave, F_GETFL);
	t->touched = false;
}

static pid_t start(const struct terminal *t, char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	if (setsid() < 0 || ioctl(t->slave, TIOCSCTTY, 0) != 0)
		die("setsid");
	for (int fd = 0; fd < 2; fd++)
		(void)dup2(t->slave, fd);
	(void)close(t->master);
	(void)close(t->slave);
	execvp(argv[0], argv);
	die(argv[0]);
	return -1;
}

static bool pass(int from, int to)
{
	char bytes[4096];
	ssize_t n = read(from, bytes, sizeof(bytes));

	return n > 0 && write(to, bytes, (size_t)n) == n;
}

/* Passes the bytes that are available, after waiting at most `ms` for some. */
static void pass_all(struct terminal *t, int *input, int ms)
{
	struct pollfd p[2] = { { .fd = t->master, .events = POLLIN },
		{ .fd = *input, .events = POLLIN } };

	while (poll(p, 2, ms) > 0) {
		t->touched = t->touched || !is_as_before(t);
		if (p[0].revents != 0 && !pass(t->master, STDOUT_FILENO))
			return;
		if (p[1].revents != 0 && !pass(*input, t->master))
			p[1].fd = *input = -1;
	}
}

int main(int argc, char **argv)
{
	struct terminal t;
	int status, input = STDIN_FILENO;
	pid_t pid;

	if (argc < 2)
		return 64;
	open_terminal(&t);
	pid = start(&t, argv + 1);
	while (waitpid(pid, &status, WNOHANG) == 0)
		pass_all(&t, &input, 10);
	input = -1;
	pass_all(&t, &input, 0);
	(void)fprintf(stderr, "terminal: %s, %s\n", t.touched ? "touched" : "untouched",
	    is_as_before(&t) ? "restored" : "left changed");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
