/*
 * The program that the tests start: it reports its environment on stdout, or ends as requested.
 *   child report [WORD...]   child exit STATUS   child kill SIGNAL   child wait
 *   child leave   (goes to its parent's process group, says so and waits)
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FD_LIMIT = 1024 };

static void report_descriptors(void)
{
	struct stat st;

	printf("open:");
	for (int fd = 0; fd < FD_LIMIT; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	}
	printf("\n");
	for (int fd = 0; fd < FD_LIMIT; fd++) {
		if (fstat(fd, &st) == 0)
			printf("fd %d is %llu:%llu\n", fd, (unsigned long long)st.st_dev,
			    (unsigned long long)st.st_ino);
	}
}

static void report_signals(void)
{
	struct sigaction now;
	sigset_t blocked;

	printf("ignored:");
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		if (sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			printf(" %d", signal);
	}
	printf("\nblocked:");
	(void)sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		if (sigismember(&blocked, signal) == 1)
			printf(" %d", signal);
	}
	printf("\n");
}

static int report(char **words)
{
	report_descriptors();
	report_signals();
	printf("group: %s\n", getpgrp() == getpid() ? "own" : "inherited");
	for (char **word = words; *word != NULL; word++)
		printf("word: %s\n", *word);
	return fflush(stdout) == 0 ? 0 : 1;
}

static int leave(void)
{
	if (setpgid(0, getpgid(getppid())) < 0)
		return 1;
	printf("left\n");
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "report") == 0)
		return report(argv + 2);
	if (strcmp(what, "exit") == 0 && argc == 3)
		return atoi(argv[2]);
	if (strcmp(what, "kill") == 0 && argc == 3)
		return raise(atoi(argv[2]));
	if (strcmp(what, "wait") == 0 || (strcmp(what, "leave") == 0 && leave() == 0)) {
		/* Ends the process when a test fails. */
		(void)alarm(60);
		for (;;)
			(void)pause();
	}
	(void)fprintf(stderr, "child: what?\n");
	return 64;
}
