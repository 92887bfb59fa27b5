/*
 * A hypervisor for the soak: it prints on the terminal that its arguments name, takes its order
 * from the fifo SOAK_ORDERS, prints the order and ends as the order says.  An order is a letter and
 * a number of 7 digits; soak.py and crowd.py know what each letter means.  A guest without an order
 * waits, and powers off at SIGTERM.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { ORDER = 8, POWERED_OFF = 1, FAILED = 70 };

static void on_term(int number)
{
	(void)number;
	_exit(POWERED_OFF);
}

static int open_terminal(int argc, char **argv)
{
	struct termios modes;
	const char *path;
	int i, fd;

	for (i = argc - 1; i > 0; i--)
		if ((path = strstr(argv[i], "/dev/")) != NULL &&
		    (fd = open(path, O_WRONLY | O_NOCTTY)) >= 0) {
			if (tcgetattr(fd, &modes) == 0) {
				modes.c_oflag &= (tcflag_t)~OPOST;
				(void)tcsetattr(fd, TCSANOW, &modes);
				return fd;
			}
			(void)close(fd);
		}
	return -1;
}

static int say(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

static int end_by(char letter)
{
	static const char statuses[] = "rpht";
	const char *found = strchr(statuses, letter);

	if (letter == 'k')
		(void)raise(SIGKILL);
	/* bhyve has 0 for a reboot, 1 for a power-off, 2 for a halt, 3 for a triple fault, 4 for an
	 * error. */
	return found == NULL ? 4 : (int)(found - statuses);
}

int main(int argc, char **argv)
{
	static const char greeting[] = "soak guest\n";
	const char *orders = getenv("SOAK_ORDERS");
	int terminal = open_terminal(argc, argv), fd;
	char order[ORDER], line[32];

	(void)signal(SIGTERM, on_term);
	if (terminal < 0 || orders == NULL || (fd = open(orders, O_RDONLY)) < 0)
		return FAILED;
	if (say(terminal, greeting, sizeof(greeting) - 1) < 0)
		return FAILED;
	/* Writers of a fifo write orders whole, and readers of it take nothing else. */
	if (read(fd, order, sizeof(order)) != sizeof(order))
		return FAILED;
	(void)snprintf(line, sizeof(line), "life %.7s %c\n", order + 1, order[0]);
	if (say(terminal, line, strlen(line)) < 0)
		return FAILED;
	return end_by(order[0]);
}
