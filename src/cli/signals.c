/* The self-pipe. */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Handlers have no argument of ours: the globals of the program. */
static int write_end = -1;
static bool had_terminal; /* at the start */

static void on_signal(int number)
{
	char byte = (char)number;
	int saved = errno;

	/* A full pipe holds more requests than anybody needs. */
	(void)!write(write_end, &byte, 1);
	errno = saved;
}

/* nohup(1) means it; SIGINT is ignored in every background job of a script, and still a request. */
static bool stays_ignored(int number)
{
	struct sigaction action;

	return number == SIGHUP && sigaction(number, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN;
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

void signals_allow_children(void)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGCHLD, &normal, NULL);
}

int signals_open(void)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t none;
	int ends[2];

	if (pipe(ends) != 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		(void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
		(void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
	}
	write_end = ends[1];
	had_terminal = has_terminal();
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!stays_ignored(numbers[i]))
			(void)sigaction(numbers[i], &action, NULL);
	}
	/* Requests of later versions must not kill this one. */
	(void)sigaction(SIGUSR1, &ignore, NULL);
	(void)sigaction(SIGUSR2, &ignore, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* What our parent blocked must not hide a request. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	return ends[0];
}

bool signals_take(int fd)
{
	bool stop = false;
	char number;

	while (read(fd, &number, 1) == 1)
		/* SIGHUP: our terminal has gone, or somebody means a daemon, which we are not. */
		stop = stop || number != SIGHUP || (had_terminal && !has_terminal());
	return stop;
}
