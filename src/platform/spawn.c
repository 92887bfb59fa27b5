/* The half of spawn that runs in the parent, and the end of a process. */
#include "platform/spawn.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/spawn_child.h"

#define MAX_REAP_MS 1000 /* for killed children that are given up */

extern char **environ;

/* Inserts a number into an ascending list unless the list has it. */
static void insert_number(int *list, size_t *count, int number)
{
	size_t at = *count;

	while (at > 0 && list[at - 1] > number)
		at--;
	if (at > 0 && list[at - 1] == number)
		return;
	memmove(list + at + 1, list + at, (*count - at) * sizeof(*list));
	list[at] = number;
	(*count)++;
}

/* Plans the descriptors of the child in an array of 2 * fd_count + 4 numbers. */
static void plan_descriptors(struct spawning *c, int *room)
{
	int *kept = room + 1 + c->what->fd_count;

	c->lock = room;
	*c->lock = -1;
	c->parked = room + 1;
	c->kept = kept;
	for (int fd = 0; fd <= 2; fd++)
		insert_number(kept, &c->kept_count, fd);
	for (size_t i = 0; i < c->what->fd_count; i++) {
		int theirs = c->what->fds[i].theirs;

		assert(theirs >= 0);
		insert_number(kept, &c->kept_count, theirs);
		if (theirs <= 2)
			c->is_given[theirs] = true;
	}
}

void spawn_find_signals(sigset_t *changed)
{
	struct sigaction now;

	(void)sigemptyset(changed);
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		/* Fails for the signals that the C library reserves. */
		if (sigaction(signal, NULL, &now) == 0 && now.sa_handler != SIG_DFL)
			(void)sigaddset(changed, signal);
	}
}

/* Plans the action of every signal.  One that is to be ignored may be in both sets. */
static void plan_signals(struct spawning *c)
{
	static const int of_terminal[] = { SIGINT, SIGQUIT, SIGTSTP, SIGHUP };

	/* As they are now: other code in this process may set signals, too. */
	if (c->what->changed_signals == NULL)
		spawn_find_signals(&c->to_default);
	else
		c->to_default = *c->what->changed_signals;
	(void)sigemptyset(&c->to_ignore);
	for (size_t i = 0; i < sizeof(of_terminal) / sizeof(*of_terminal); i++) {
		if (c->what->ignore_terminal_signals)
			(void)sigaddset(&c->to_ignore, of_terminal[i]);
	}
}

static int explain_exec(const char *path, int error, struct error *err)
{
	/* Describes a missing program, a directory or a lack of permission in the usual words. */
	MEM_AUTO char *found = program_find(path, err);

	if (found == NULL)
		return -1;
	if (error == ENOENT || error == ENOTDIR)
		return error_set(err, STATUS_CANNOT_EXEC, "%s: its interpreter is missing", path);
	if (error == ENOEXEC)
		return error_set(err, STATUS_CANNOT_EXEC,
		    "%s: neither a program for this system nor a script with #!", path);
	return error_set(
	    err, STATUS_CANNOT_EXEC, "%s: cannot be executed: %s", path, strerror(error));
}

static int explain(const struct spawning *c, struct error *err)
{
	static const char *const doing[] = {
		[CHILD_GROUP] = "making a process group",
		[CHILD_TIE] = "tying it to this process",
		[CHILD_DIRECTORY] = "changing to its directory",
		[CHILD_DESCRIPTORS] = "passing descriptors on",
		[CHILD_LOCK] = "letting it outlive this process",
		[CHILD_CLOSE] = "closing descriptors",
		[CHILD_SIGNALS] = "resetting signals",
		[CHILD_EXEC] = "executing it",
	};

	_Static_assert(sizeof(doing) / sizeof(*doing) == CHILD_STEPS, "a text for each step");

	if (c->step == CHILD_EXEC)
		return explain_exec(c->what->path, c->error, err);
	if (c->step == CHILD_DIRECTORY)
		return error_set(err, STATUS_OS, "%s: cannot be started in %s: %s", c->what->path,
		    c->what->directory, strerror(c->error));
	return error_set(err, STATUS_OS, "%s: cannot be started: %s: %s", c->what->path,
	    doing[c->step], strerror(c->error));
}

/* Gets the raw status of waitpid(). */
static int wait_for(pid_t pid, int *status)
{
	pid_t got;

	do
		got = waitpid(pid, status, 0);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -1 : 0;
}

int spawn_process(const struct spawn *what, pid_t *pid, struct error *err)
{
	MEM_AUTO int *room = mem_resize(NULL, 2 * what->fd_count + 4, sizeof(*room));
	struct spawning child = { .what = what, .parent = getpid() };
	sigset_t all, before;
	int status, error;
	pid_t started;

	plan_descriptors(&child, room);
	/* sigprocmask() is correct with threads as well, on Linux and on FreeBSD. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	plan_signals(&child);
	started = child_fork(&child);
	error = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (started < 0)
		return error_set(
		    err, STATUS_OS, "%s: cannot be started: %s", what->path, strerror(error));
	if (child.error == 0) {
		*pid = started;
		return 0;
	}
	(void)wait_for(started, &status);
	return explain(&child, err);
}

/* Returns whether a change is of this variable, "NAME=VALUE". */
static bool is_change_of(const char *change, const char *variable)
{
	size_t n = strcspn(change, "=");

	return strncmp(change, variable, n) == 0 && variable[n] == '=';
}

/* Returns whether any of the changes is of this variable. */
static bool is_changed(char *const *changes, const char *variable)
{
	for (; *changes != NULL; changes++) {
		if (is_change_of(*changes, variable))
			return true;
	}
	return false;
}

void spawn_environment(char *const *changes, struct words *out)
{
	for (char *const *v = environ; *v != NULL; v++) {
		if (!is_changed(changes, *v))
			words_add(out, *v);
	}
	for (; *changes != NULL; changes++) {
		if (strchr(*changes, '=') != NULL)
			words_add(out, *changes);
	}
}

bool process_has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid != 0;
}

bool process_group_remains(pid_t group)
{
	/*
	 * The kernel gives no process the pid of a group that has members: where a process has it,
	 * which may be another user's (EPERM), the group is gone.
	 */
	return group > 0 && kill(group, 0) != 0 && errno == ESRCH && kill(-group, 0) == 0;
}

int process_reap(pid_t pid, struct process_end *end, struct error *err)
{
	int status = 0;

	if (wait_for(pid, &status) < 0)
		return error_set(err, STATUS_OS, "cannot learn how process %ld ended: %s",
		    (long)pid, strerror(errno));
	end->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return 0;
}

void process_list_add(struct process_list *list, pid_t pid)
{
	list->pid = mem_grow(list->pid, list->count, sizeof(*list->pid));
	list->pid[list->count++] = pid;
}

void process_list_remove(struct process_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->pid[i] == pid) {
			list->pid[i] = list->pid[--list->count];
			return;
		}
	}
}

void process_list_reap(struct process_list *list)
{
	int64_t until_ms = list->count > 0 ? clock_ms() + MAX_REAP_MS : 0;

	for (size_t i = 0; i < list->count; i++) {
		while (!process_has_ended(list->pid[i]) && clock_ms() < until_ms)
			clock_sleep(1);
		(void)waitpid(list->pid[i], NULL, WNOHANG);
	}
	free(list->pid);
	*list = (struct process_list){ 0 };
}
