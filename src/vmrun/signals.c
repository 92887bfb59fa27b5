/* Flags and a self-pipe, and an exit for a program that looks at neither. */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_S 2 /* for the loop to take the third request to stop */
#define EXIT_FAULT 70
#define STANDARD_FDS 3 /* number of the descriptors stdin, stdout, stderr */

/* The only globals of the program: a signal handler has no other argument. */
static int write_end = -1;
static const struct vmrun *vm_to_restore;		  /* its terminal is restored; NULL: none */
static volatile sig_atomic_t stop, hangup, reopen, query; /* for signals_fetch() */
static volatile sig_atomic_t stop_count;		  /* number of stop, at most 3 */
static struct timespec stop_since; /* time of the oldest stop that is not received */
static bool had_terminal, was_terminal[STANDARD_FDS]; /* when the program started */

/* Writes why the program ends, without waiting for a stopped terminal. */
static void print_stuck(void)
{
	static const char text[] = "vmrun: asked to stop three times, and still busy: ended at "
				   "once, the next start cleans up";
	int flags = fcntl(STDERR_FILENO, F_GETFL);
	bool terminal = isatty(STDERR_FILENO) != 0;

	if (flags >= 0)
		(void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	if (terminal)
		(void)!write(STDERR_FILENO, "\r\n", 2);
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)!write(STDERR_FILENO, terminal ? "\r\n" : "\n", terminal ? 2 : 1);
	if (flags >= 0)
		(void)fcntl(STDERR_FILENO, F_SETFL, flags);
}

static int64_t milliseconds_since(const struct timespec *then)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)(now.tv_sec - then->tv_sec) * 1000 +
	    (now.tv_nsec - then->tv_nsec) / 1000000;
}

/*
 * Ends the program if it has not received the third request: it is stuck.  A loop that is only busy
 * gets TIMEOUT_S, so that three requests at once do no harm.  Calls only async-signal-safe
 * functions.
 */
static void exit_if_stuck(void)
{
	if (stop_count < 3 || stop == 0)
		return;
	/* The alarm may be a tick early. */
	if (milliseconds_since(&stop_since) < TIMEOUT_S * 1000 - 20) {
		(void)alarm(TIMEOUT_S);
		return;
	}
	if (vm_to_restore != NULL)
		vmrun_restore_terminal(vm_to_restore);
	print_stuck();
	_exit(EXIT_FAULT);
}

static void note_stop(void)
{
	if (stop == 0)
		(void)clock_gettime(CLOCK_MONOTONIC, &stop_since);
	stop = 1;
	if (stop_count < 3)
		stop_count = stop_count + 1;
	exit_if_stuck();
}

static void on_signal(int number)
{
	int saved = errno;

	if (number == SIGHUP)
		hangup = 1;
	else if (number == SIGUSR1)
		reopen = 1;
	else if (number == SIGTERM || number == SIGINT)
		note_stop();
	else if (number == SIGALRM)
		exit_if_stuck();
	else
		query = 1;
	/* A full pipe does no harm: the flags tell the signals. */
	if (write_end >= 0)
		(void)!write(write_end, "", 1);
	errno = saved;
}

static void catch_signal(int number)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	/* One handler at a time, because they share counters. */
	(void)sigfillset(&action.sa_mask);
	(void)sigaction(number, &action, NULL);
}

/* Returns whether the signal is ignored and stays so: SIGHUP under nohup(1). */
static bool stays_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* Returns whether the controlling terminal, or one of the standard descriptors, is gone. */
static bool has_lost_terminal(void)
{
	for (int fd = 0; fd < STANDARD_FDS; fd++) {
		if (was_terminal[fd] && isatty(fd) == 0)
			return true;
	}
	return had_terminal && !has_terminal();
}

static void catch_run_signals(void)
{
	had_terminal = has_terminal();
	for (int fd = 0; fd < STANDARD_FDS; fd++)
		was_terminal[fd] = isatty(fd) != 0;
	if (!stays_ignored(SIGHUP))
		catch_signal(SIGHUP);
	catch_signal(SIGUSR1);
	catch_signal(SIGUSR2);
#ifdef SIGINFO
	catch_signal(SIGINFO);
#endif
}

void signals_begin(bool run)
{
	struct sigaction normal = { .sa_handler = SIG_DFL }, ignore = { .sa_handler = SIG_IGN };
	sigset_t none;

	(void)sigaction(SIGCHLD, &normal, NULL);
	/* A limit on the size of files is then an error of the write, like a full disk. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	if (!run)
		return;
	(void)sigaction(SIGTERM, &normal, NULL);
	(void)sigaction(SIGINT, &normal, NULL);
	catch_run_signals();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int signals_open(const struct vmrun *vm)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int ends[2];

	if (pipe(ends) != 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		(void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
		(void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
	}
	vm_to_restore = vm;
	write_end = ends[1];
	catch_signal(SIGTERM);
	catch_signal(SIGINT);
	catch_signal(SIGALRM);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* Signals may have come while the spec was read. */
	(void)!write(write_end, "", 1);
	return ends[0];
}

static bool fetch_flag(volatile sig_atomic_t *flag)
{
	bool is_set = *flag != 0;

	*flag = 0;
	return is_set;
}

void signals_fetch(int fd, struct signals *received)
{
	char bytes[64];

	/*
	 * The pipe before the flags: a signal in between wakes the loop once more, and is not lost.
	 */
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	received->stop = fetch_flag(&stop);
	received->reopen = fetch_flag(&reopen);
	received->status = fetch_flag(&query);
	received->reload = fetch_flag(&hangup);
	if (received->reload && has_lost_terminal()) {
		received->reload = false;
		received->stop = true;
	}
}

void signals_close(int fd)
{
	int end = write_end;

	vm_to_restore = NULL;
	write_end = -1;
	(void)close(end);
	(void)close(fd);
}
