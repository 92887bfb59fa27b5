/* The half of spawn that runs in the child, between vfork and exec. */
#define _GNU_SOURCE /* vfork(), which POSIX has dropped */
#include "platform/spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

extern char **environ;

static int make_group(const struct spawning *c)
{
	return c->what->own_group ? setpgid(0, 0) : 0;
}

static int tie_to_parent(const struct spawning *c)
{
	if (c->what->death_signal == 0)
		return 0;
	if (child_die_with_parent(c->what->death_signal) < 0)
		return -1;
	/* A parent that died before that call sends no signal. */
	if (getppid() == c->parent)
		return 0;
	errno = ESRCH;
	return -1;
}

static int change_directory(const struct spawning *c)
{
	return c->what->directory == NULL ? 0 : chdir(c->what->directory);
}

static int open_standard(const struct spawning *c)
{
	int null = -1;

	for (int fd = 0; fd <= 2; fd++) {
		if (c->is_given[fd])
			continue;
		if (null < 0)
			null = open("/dev/null", O_RDWR);
		if (null < 0 || (null != fd && dup2(null, fd) < 0))
			return -1;
	}
	return 0;
}

static int place_descriptors(const struct spawning *c)
{
	const struct spawn_fd *fds = c->what->fds;
	const int above = c->kept[c->kept_count - 1] + 1;

	/*
	 * First moves those out of the way that may be the target of another: a number above all
	 * targets is none.
	 */
	for (size_t i = 0; i < c->what->fd_count; i++) {
		c->parked[i] =
		    fds[i].ours < above ? fcntl(fds[i].ours, F_DUPFD, above) : fds[i].ours;
		if (c->parked[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < c->what->fd_count; i++) {
		if (dup2(c->parked[i], fds[i].theirs) < 0)
			return -1;
	}
	return open_standard(c);
}

/*
 * Takes the lock by fcntl(2): exec keeps it, no child inherits it, and several processes may hold
 * it.  A lock by flock(2) that the parent held ends only after this one is taken, because the child
 * still has all descriptors of its parent.  Where the file cannot be locked, the child dies with
 * its parent.
 */
static int hold_lock(const struct spawning *c)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd;

	if (c->what->lock_file == NULL)
		return 0;
	fd = open(c->what->lock_file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0)
		return 0;
	*c->lock = fd;
	return child_die_with_parent(0);
}

/* Closes a range, but not the descriptor of the lock: the process would lose the lock with it. */
static int close_range_but_lock(const struct spawning *c, unsigned int first, unsigned int last)
{
	unsigned int lock = *c->lock < 0 ? 0 : (unsigned int)*c->lock;

	if (lock < first || lock > last)
		return child_close_range(first, last);
	if (lock > first && child_close_range(first, lock - 1) < 0)
		return -1;
	return lock < last ? child_close_range(lock + 1, last) : 0;
}

static int close_others(const struct spawning *c)
{
	unsigned int from = 0;

	for (size_t i = 0; i < c->kept_count; i++) {
		unsigned int kept = (unsigned int)c->kept[i];

		if (kept > from && close_range_but_lock(c, from, kept - 1) < 0)
			return -1;
		from = kept + 1;
	}
	return close_range_but_lock(c, from, UINT_MAX);
}

static int set_signals(const struct spawning *c)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		int is_ignored = sigismember(&c->to_ignore, signal) == 1;

		if (!is_ignored && sigismember(&c->to_default, signal) != 1)
			continue;
		action.sa_handler = is_ignored ? SIG_IGN : SIG_DFL;
		if (child_set_action(signal, &action) < 0)
			return -1;
	}
	/* Last, as a handler that ran in the child would change the parent's memory. */
	(void)sigemptyset(&none);
	return child_set_mask(&none);
}

static int execute(const struct spawning *c)
{
	char *const *environment = c->what->environment;

	return execve(c->what->path, c->what->argv, environment == NULL ? environ : environment);
}

static _Noreturn void run(struct spawning *c)
{
	static int (*const steps[])(const struct spawning *) = {
		[CHILD_GROUP] = make_group,
		[CHILD_TIE] = tie_to_parent,
		[CHILD_DIRECTORY] = change_directory,
		[CHILD_DESCRIPTORS] = place_descriptors,
		[CHILD_LOCK] = hold_lock,
		[CHILD_CLOSE] = close_others,
		[CHILD_SIGNALS] = set_signals,
		[CHILD_EXEC] = execute,
	};

	_Static_assert(sizeof(steps) / sizeof(*steps) == CHILD_STEPS, "a function for each step");

	for (c->step = CHILD_GROUP; steps[c->step](c) == 0; c->step++)
		;
	c->error = errno;
	_exit(127);
}

pid_t spawn_child(struct spawning *c)
{
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): a fork costs twice as much */
	pid_t pid = vfork();

	if (pid == 0)
		run(c); /* NOLINT(clang-analyzer-unix.Vfork): it calls what POSIX allows */
	return pid;
}
