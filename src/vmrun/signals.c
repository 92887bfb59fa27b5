/* Signals set flags and write to a pipe; repeated requests to stop end a program that is stuck. */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

#define STUCK_STOPS 3	  /* requests to stop that end a stuck program */
#define SAME_STOP_MS 1000 /* signals to stop that follow the first within it are one request */
#define TIMEOUT_S 2	  /* for the loop to fetch the last of these requests */
#define STANDARD_FDS 3	  /* stdin, stdout and stderr */

/* The only globals of the program, because a signal handler gets no context. */
static int write_end = -1;
static const struct vmrun *vm_to_restore; /* its terminal, before an exit; NULL: none */
static volatile sig_atomic_t stop, hangup, reopen, query; /* for signals_fetch() */
static volatile sig_atomic_t stop_count;		  /* number of stops, at most STUCK_STOPS */
static struct timespec stop_since; /* time of the oldest stop that was not fetched */
static struct timespec first_stop; /* time of the first request to stop, if stop_count > 0 */
static bool had_terminal, was_terminal[STANDARD_FDS]; /* when the program started */

/* Writes why the program ends, without blocking on a stopped terminal. */
static void print_stuck(void)
{
	static const char text[] =
	    "vmrun: third stop request: exiting at once; the next start cleans up";
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
 * Ends the program if it is stuck: it has not fetched the last of STUCK_STOPS requests within
 * TIMEOUT_S, which is enough for a busy loop.  Calls only async-signal-safe functions.
 */
static void exit_if_stuck(void)
{
	if (stop_count < STUCK_STOPS || stop == 0)
		return;
	/* The alarm may be a tick early. */
	if (milliseconds_since(&stop_since) < TIMEOUT_S * 1000 - 20) {
		(void)alarm(TIMEOUT_S);
		return;
	}
	if (vm_to_restore != NULL)
		vmrun_restore_terminal(vm_to_restore);
	print_stuck();
	_exit(STATUS_BUG);
}

/*
 * Notes a request to stop.  A sender may repeat it at once: timeout(1) signals its child, and then
 * the group of the child.
 */
static void note_stop(void)
{
	if (stop_count > 0 && milliseconds_since(&first_stop) < SAME_STOP_MS)
		return;
	if (stop_count == 0)
		(void)clock_gettime(CLOCK_MONOTONIC, &first_stop);
	if (stop == 0)
		(void)clock_gettime(CLOCK_MONOTONIC, &stop_since);
	stop = 1;
	if (stop_count < STUCK_STOPS)
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
	/* The write may fail: a full pipe wakes the loop, too, and the flags are set. */
	if (write_end >= 0)
		(void)!write(write_end, "", 1);
	errno = saved;
}

static void catch_signal(int number)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	/* Block all other signals in a handler, because the handlers share variables. */
	(void)sigfillset(&action.sa_mask);
	(void)sigaction(number, &action, NULL);
}

/* Returns whether the parent process ignores the signal, as nohup(1) ignores SIGHUP. */
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

/* Returns whether the controlling terminal or a terminal of a standard descriptor is gone. */
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
	/* A write beyond the limit on the size of files then fails, as on a full disk. */
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
	int ends[2], error;

	if (pipe(ends) != 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		/* vmrun would wait for ever where it reads what is there. */
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) == 0 &&
		    fcntl(ends[i], F_SETFL, O_NONBLOCK) == 0)
			continue;
		error = errno;
		(void)close(ends[0]);
		(void)close(ends[1]);
		errno = error;
		return -1;
	}
	vm_to_restore = vm;
	write_end = ends[1];
	catch_signal(SIGTERM);
	catch_signal(SIGINT);
	catch_signal(SIGALRM);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* Wake the loop for signals that came while the spec was read. */
	(void)!write(write_end, "", 1);
	return ends[0];
}

static bool fetch_flag(volatile sig_atomic_t *flag)
{
	/* Clear only a flag that is set: a signal may come between the test and the clearing. */
	if (*flag == 0)
		return false;
	*flag = 0;
	return true;
}

void signals_fetch(int fd, struct signals *received)
{
	char bytes[64];

	/* Empty the pipe before the flags: a signal in between then wakes the loop again. */
	while (read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
		;
	received->stop = fetch_flag(&stop);
	received->reopen = fetch_flag(&reopen);
	received->status = fetch_flag(&query);
	received->reload = fetch_flag(&hangup);
	if (received->reload && has_lost_terminal()) {
		received->reload = false;
		(void)raise(SIGTERM); /* so that it counts as one of the requests to stop */
		received->stop = fetch_flag(&stop) || received->stop;
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
