/*
 * A guest that waits for SIGTERM and stores when it came, or, if BENCH_FLOOD has a number, writes
 * so many bytes of lines to the terminal that its last arguments name.  It powers off (status 1).
 */
#include "times.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* A guest whose supervisor was killed ends after a time, in seconds. */
enum { LINE = 80, LINES = 50, FAILED = 70, LONGEST_LIFE = 600 };

static struct times *times;

static int64_t now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void on_term(int number)
{
	(void)number;
	if (times->at[0] == 0)
		times->at[0] = now();
}

static int await_term(const char *path)
{
	struct sigaction action = { .sa_handler = on_term };
	sigset_t none, term;
	int fd = open(path, O_RDWR);

	times = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (times == MAP_FAILED)
		return FAILED;
	(void)sigemptyset(&none);
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)alarm(LONGEST_LIFE);
	times->n = 1;
	while (times->at[0] == 0)
		(void)sigsuspend(&none);
	return 1;
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

/* Writes without losses: a slow reader makes the writer wait. */
static int flood(int fd, long long bytes)
{
	char lines[LINE * LINES];
	size_t size;
	ssize_t n;
	int i;

	memset(lines, 'x', sizeof(lines));
	for (i = 1; i <= LINES; i++)
		lines[i * LINE - 1] = '\n';
	for (; fd >= 0 && bytes > 0; bytes -= n) {
		size = bytes < (long long)sizeof(lines) ? (size_t)bytes : sizeof(lines);
		n = write(fd, lines, size);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return FAILED;
	}
	if (fd < 0)
		return FAILED;
	(void)tcdrain(fd);
	return 1;
}

int main(int argc, char **argv)
{
	const char *bytes = getenv("BENCH_FLOOD"), *path = getenv("BENCH_TIMES");

	if (bytes != NULL)
		return flood(open_terminal(argc, argv), atoll(bytes));
	return path == NULL ? FAILED : await_term(path);
}
