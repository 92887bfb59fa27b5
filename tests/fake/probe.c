/*
 * Checks of fakebhyve that a shell cannot do:
 *	fake_probe clients SOCKET	prints how a console socket treats its clients
 *	fake_probe end COMMAND...	prints how COMMAND ends
 *	fake_probe tty READY GO COMMAND...	prints what COMMAND does to its terminal
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, STEP_MS = 5 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die(path);
	return fd;
}

/* Returns whether the other side closes the connection within `ms`. */
static bool is_closed(int fd, int ms)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&polled, 1, ms) > 0 && read(fd, &byte, 1) == 0;
}

/* Connects two clients; a refusal of the second one shows that the first one was accepted. */
static int probe_clients(const char *path)
{
	int first = connect_to(path), second = connect_to(path), third, fourth;

	printf("second %s\n", is_closed(second, PATIENCE_MS) ? "closed" : "open");
	printf("first %s\n", is_closed(first, 0) ? "closed" : "open");
	(void)close(first);
	third = connect_to(path);
	fourth = connect_to(path);
	printf("fourth %s\n", is_closed(fourth, PATIENCE_MS) ? "closed" : "open");
	printf("third %s\n", is_closed(third, 0) ? "closed" : "open");
	return 0;
}

static void print_modes(const char *when, int fd)
{
	struct termios modes;

	if (tcgetattr(fd, &modes) != 0)
		die("tcgetattr");
	printf("%s: %s %s\n", when,
	    (modes.c_lflag & (ICANON | ECHO | ISIG)) == 0 ? "raw" : "cooked",
	    (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? "nonblocking" : "blocking");
}

static void await(const char *path)
{
	int waited;

	for (waited = 0; access(path, F_OK) != 0; waited += STEP_MS) {
		if (waited > PATIENCE_MS)
			die(path);
		(void)poll(NULL, 0, STEP_MS);
	}
}

static int open_terminal(int *terminal)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
		die("pty");
	*terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (*terminal < 0)
		die("terminal");
	return master;
}

static void print_end(int status)
{
	if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else
		printf("status %d\n", WEXITSTATUS(status));
}

/* Prints how a command ends; a shell reports 134 for signal 6 and for status 134. */
static int probe_end(char **command)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execv(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("wait");
	print_end(status);
	return 0;
}

/* Runs a command that shares the terminal as one open file, as under a supervisor. */
static int probe_tty(const char *ready, const char *go, char **command)
{
	int terminal, master = open_terminal(&terminal), status = 0, fd;
	pid_t pid;

	print_modes("before", terminal);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)dup2(terminal, STDIN_FILENO);
		(void)dup2(terminal, STDOUT_FILENO);
		(void)execv(command[0], command);
		_exit(127);
	}
	await(ready);
	print_modes("running", terminal);
	fd = open(go, O_WRONLY | O_CREAT, 0600);
	if (pid < 0 || fd < 0 || waitpid(pid, &status, 0) != pid)
		die("wait");
	print_modes("after", terminal);
	print_end(status);
	(void)close(master);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "clients") == 0)
		return probe_clients(argv[2]);
	if (argc > 4 && strcmp(argv[1], "tty") == 0)
		return probe_tty(argv[2], argv[3], argv + 4);
	if (argc > 2 && strcmp(argv[1], "end") == 0)
		return probe_end(argv + 2);
	fprintf(stderr,
	    "usage: fake_probe clients SOCKET | tty READY GO COMMAND... | end COMMAND...\n");
	return 64;
}
