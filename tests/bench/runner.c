/*
 * Runs commands in turn and prints, for each run, a line with the index of the command, its wall
 *time (ns), page faults without I/O, its largest resident set (KiB) and its status.
 *
 *	runner ROUNDS COMMAND... [-- COMMAND...]...
 *
 * A small program starts them, because the resident set of a child begins with that of its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_COMMANDS = 32 };

static long long now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void run(int index, char **argv, int null)
{
	long long began = now(), ended;
	struct rusage usage;
	int status = 0;
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): vmrun does the same */
	pid_t pid = vfork();

	if (pid == 0) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Vfork): POSIX allows it */
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			exit(71);
	ended = now();
	printf("%d %lld %ld %ld %d\n", index, ended - began, usage.ru_minflt, usage.ru_maxrss,
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

int main(int argc, char **argv)
{
	char **commands[MAX_COMMANDS];
	int rounds = argc < 3 ? 0 : atoi(argv[1]), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int i, n = 0;

	if (rounds < 1 || null < 0)
		return 64;
	for (i = 2; i < argc && n < MAX_COMMANDS; i++) {
		commands[n++] = argv + i;
		while (i < argc && strcmp(argv[i], "--") != 0)
			i++;
		argv[i] = NULL;
	}
	while (rounds-- > 0)
		for (i = 0; i < n; i++)
			run(i, commands[i], null);
	return 0;
}
