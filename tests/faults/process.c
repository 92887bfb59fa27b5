/* Programs that a test starts. */
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "world.h"

#define MAX_STARTED 2 /* at once: vmrun, and the vmrunctl that talks to it */

static pid_t started[MAX_STARTED]; /* and not yet reaped by process_end(); 0: free */

/* Puts the second process in the place of the first. */
static void replace_started(pid_t old, pid_t new)
{
	for (size_t i = 0; i < MAX_STARTED; i++) {
		if (started[i] == old) {
			started[i] = new;
			return;
		}
	}
	fprintf(stderr, "faults: process %ld is not known here\n", (long)(old > 0 ? old : new));
	exit(2);
}

static bool is_started(pid_t pid)
{
	for (size_t i = 0; i < MAX_STARTED; i++) {
		if (started[i] == pid)
			return true;
	}
	return false;
}

void process_begin(void)
{
	sigset_t child;

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
}

long long process_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_output(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static _Noreturn void execute(const char *const *argv, int out, int err)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)execv(argv[0], (char *const *)argv);
	_exit(127);
}

pid_t process_start(const char *const *argv, const char *out, const char *err, bool preload)
{
	int ends[2] = { open_output(out), open_output(err) };
	MEM_AUTO char *here = getcwd(NULL, 0);
	MEM_AUTO char *page = mem_format("%s/" WORLD_PAGE, here);
	pid_t pid;

	if (preload) {
		(void)setenv("LD_PRELOAD", INJECT, 1);
		(void)setenv("FAULTS_PAGE", page, 1);
	}
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): thousands are started */
	pid = vfork();
	if (pid == 0)
		execute(argv, ends[0], ends[1]); /* NOLINT(clang-analyzer-unix.Vfork) */
	(void)unsetenv("LD_PRELOAD");
	(void)unsetenv("FAULTS_PAGE");
	(void)close(ends[0]);
	(void)close(ends[1]);
	if (pid < 0) {
		perror(argv[0]);
		exit(2);
	}
	replace_started(0, pid);
	return pid;
}

bool process_is_over(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid != 0;
}

void process_pause(int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigtimedwait(&child, NULL, &time);
}

/*
 * Reaps orphans, which vmrun may wait for.  What was started here is left to process_end(): vmrun
 * may end before the vmrunctl that stops it does.
 */
static void reap_orphans(void)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0 ||
		    is_started(info.si_pid))
			return;
		(void)waitpid(info.si_pid, NULL, 0);
	}
}

int process_end(pid_t pid, int limit_ms)
{
	long long until = process_now_ms() + limit_ms;
	bool late = false;
	int status;

	while (!process_is_over(pid) && !late) {
		reap_orphans();
		late = process_now_ms() >= until;
		process_pause(50);
	}
	if (late)
		(void)kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid) {
		perror("faults: waitpid");
		exit(2);
	}
	replace_started(pid, 0);
	if (late)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Adds the name of a process, and kills it. */
static void end_one(pid_t pid, struct words *left)
{
	MEM_AUTO char *path = mem_format("/proc/%ld/cmdline", (long)pid);
	char *command = world_read(path);

	words_addf(left, "process %ld: %s", (long)pid, command);
	free(command);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

void process_left(int limit_ms, struct words *left)
{
	long long until = process_now_ms() + limit_ms;
	char *children, *end;
	long pid;

	while (process_now_ms() < until) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return;
		process_pause(20);
	}
	children = world_read("/proc/thread-self/children");
	for (char *p = children; (pid = strtol(p, &end, 10)) > 0; p = end)
		end_one((pid_t)pid, left);
	free(children);
}
