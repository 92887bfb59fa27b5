/* Running one hypervisor. */
#include "machine/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/socket.h"

static void close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

bool child_uses_stdio(const struct child *c)
{
	return c->role == CHILD_LOADER ? c->plan->loading.uses_stdio : c->plan->uses_stdio;
}

static char *const *words_of(const struct child *c)
{
	return c->role == CHILD_LOADER ? c->plan->loading.argv.item : c->plan->argv.item;
}

static bool has_input(const struct child *c)
{
	return child_uses_stdio(c) || (c->role == CHILD_LOADER && c->plan->loading.input != NULL);
}

static bool has_channel(const struct child *c, enum channel channel)
{
	if (channel == CHANNEL_STDERR)
		return true;
	if (c->role == CHILD_LOADER)
		return false;
	return channel == CHANNEL_CONTROL ? c->plan->has_control : c->plan->has_log;
}

static int open_channels(struct child *c, int theirs[CHANNELS], struct error *err)
{
	if (socket_pipe(&c->fd[CHANNEL_STDERR], &theirs[CHANNEL_STDERR], err) != 0)
		return -1;
	if (has_channel(c, CHANNEL_CONTROL) &&
	    socket_pair(&c->fd[CHANNEL_CONTROL], &theirs[CHANNEL_CONTROL], err) != 0)
		return -1;
	if (has_channel(c, CHANNEL_LOG) &&
	    socket_pipe(&c->fd[CHANNEL_LOG], &theirs[CHANNEL_LOG], err) != 0)
		return -1;
	for (int i = 0; i < CHANNELS; i++) {
		if (c->fd[i] >= 0 && waitset_watch_fd(c->wait, c->fd[i], (uintptr_t)i, err) != 0)
			return -1;
	}
	return 0;
}

static void close_channel(struct child *c, enum channel channel)
{
	if (c->fd[channel] >= 0)
		waitset_forget_fd(c->wait, c->fd[channel]);
	close_end(&c->fd[channel]);
}

static int spawn_it(struct child *c, const int theirs[CHANNELS], const struct child_inputs *inputs,
    struct error *err)
{
	int stdin_fd = inputs->console;
	struct spawn_fd fds[6];
	struct spawn what = { .argv = words_of(c), .fds = fds, .death_signal = SIGTERM };
	MEM_AUTO char *path = program_find(words_of(c)[0], err);

	if (path == NULL)
		return -1;
	what.path = path;
	/* What is closed here is /dev/null there. */
	if (has_input(c) && fcntl(stdin_fd, F_GETFD) >= 0)
		fds[what.fd_count++] = (struct spawn_fd){ stdin_fd, STDIN_FILENO };
	if (!child_uses_stdio(c))
		fds[what.fd_count++] = (struct spawn_fd){ theirs[CHANNEL_STDERR], STDOUT_FILENO };
	else if (fcntl(STDOUT_FILENO, F_GETFD) >= 0)
		fds[what.fd_count++] = (struct spawn_fd){ STDOUT_FILENO, STDOUT_FILENO };
	/* Only in our group can it read our terminal; what the terminal signals is for us. */
	what.own_group = !child_uses_stdio(c) || isatty(stdin_fd) == 0;
	what.ignore_terminal_signals = !what.own_group;
	fds[what.fd_count++] = (struct spawn_fd){ theirs[CHANNEL_STDERR], STDERR_FILENO };
	if (theirs[CHANNEL_CONTROL] >= 0)
		fds[what.fd_count++] =
		    (struct spawn_fd){ theirs[CHANNEL_CONTROL], CHANNEL_CONTROL_FD };
	if (theirs[CHANNEL_LOG] >= 0)
		fds[what.fd_count++] = (struct spawn_fd){ theirs[CHANNEL_LOG], CHANNEL_LOG_FD };
	if (inputs->lock >= 0)
		fds[what.fd_count++] = (struct spawn_fd){ inputs->lock, LOCK_FD };
	return spawn_process(&what, &c->pid, err);
}

void child_restore_terminal(const struct child *c)
{
	for (int i = 0; i < 3 && child_uses_stdio(c); i++)
		terminal_restore(&c->terminal[i]);
}

int child_start(struct child *c, const struct plan *plan, enum child_role role,
    struct waitset *wait, const struct child_inputs *inputs, struct error *err)
{
	int theirs[CHANNELS] = { -1, -1, -1 }, rc;

	c->plan = plan;
	c->role = role;
	c->wait = wait;
	c->pid = 0;
	c->tail_length = 0;
	c->tail[0] = '\0';
	memset(&c->signs, 0, sizeof(c->signs));
	for (int i = 0; i < CHANNELS; i++) {
		c->fd[i] = -1;
		c->lines[i].length = c->lines[i].handed = 0;
		c->lines[i].was_cut = false;
	}
	terminal_save(&c->terminal[0], inputs->console);
	terminal_save(&c->terminal[1], STDOUT_FILENO);
	terminal_save(&c->terminal[2], STDERR_FILENO);
	rc = open_channels(c, theirs, err);
	if (rc == 0)
		rc = spawn_it(c, theirs, inputs, err);
	for (int i = 0; i < CHANNELS; i++)
		close_end(&theirs[i]);
	if (rc == 0)
		rc = waitset_watch_child(wait, c->pid, CHILD_TAG_END, err);
	if (rc != 0) {
		if (c->pid != 0) {
			struct process_end end;
			struct error ignored = { 0 };

			child_signal(c, SIGKILL);
			(void)process_reap(c->pid, &end, &ignored);
			error_clear(&ignored);
			c->pid = 0;
		}
		for (int i = 0; i < CHANNELS; i++)
			close_channel(c, (enum channel)i);
		child_restore_terminal(c);
		return -1;
	}
	c->started_ms = clock_ms();
	c->signs.waits_for_vnc = plan->waits_for_vnc;
	if (plan->hello != NULL && role == CHILD_HYPERVISOR)
		child_control(c, plan->hello);
	return 0;
}

void child_signal(const struct child *c, int signal)
{
	if (c->pid > 0)
		(void)kill(c->pid, signal);
}

void child_control(const struct child *c, const char *text)
{
	/* A few hundred bytes always fit; a hypervisor that does not read is stopped by signals. */
	if (c->fd[CHANNEL_CONTROL] >= 0)
		(void)!send(c->fd[CHANNEL_CONTROL], text, strlen(text), MSG_NOSIGNAL);
}

/* Keeps the last CHILD_TAIL bytes. */
static void add_tail(struct child *c, const char *bytes, size_t n)
{
	if (n > CHILD_TAIL) {
		bytes += n - CHILD_TAIL;
		n = CHILD_TAIL;
	}
	if (c->tail_length + n > CHILD_TAIL) {
		size_t drop = c->tail_length + n - CHILD_TAIL;

		memmove(c->tail, c->tail + drop, c->tail_length - drop);
		c->tail_length -= drop;
	}
	memcpy(c->tail + c->tail_length, bytes, n);
	c->tail_length += n;
	c->tail[c->tail_length] = '\0';
}

static void take_line(struct child *c, enum channel channel, const char *line)
{
	const char *answer;

	if (channel == CHANNEL_STDERR) {
		c->say(c->say_context, line);
		return;
	}
	answer = c->plan->hyper->hear(&c->signs, channel, line);
	if (answer != NULL)
		child_control(c, answer);
}

static void take_bytes(struct child *c, enum channel channel, const char *bytes, size_t n)
{
	struct lines *lines = &c->lines[channel];
	const char *line;

	if (channel == CHANNEL_STDERR)
		add_tail(c, bytes, n);
	while (n > 0) {
		size_t taken = lines_add(lines, bytes, n);

		bytes += taken;
		n -= taken;
		while ((line = lines_next(lines)) != NULL)
			take_line(c, channel, line);
	}
}

/* Reads once; false when there is nothing more now, or ever. */
static bool read_once(struct child *c, enum channel channel)
{
	char bytes[4096];
	ssize_t n = read(c->fd[channel], bytes, sizeof(bytes));

	if (n > 0) {
		take_bytes(c, channel, bytes, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	close_channel(c, channel);
	return false;
}

void child_read(struct child *c, enum channel channel)
{
	/* One read a wake-up: a hypervisor that floods its stderr must not keep signals waiting. */
	if (c->fd[channel] >= 0)
		(void)read_once(c, channel);
}

/* What is in the pipes now; a flood by somebody who still holds them ends at the limit. */
static void drain(struct child *c, enum channel channel)
{
	const char *rest;

	for (int i = 0; i < 64 && c->fd[channel] >= 0; i++) {
		if (!read_once(c, channel))
			break;
	}
	rest = lines_rest(&c->lines[channel]);
	if (rest != NULL)
		take_line(c, channel, rest);
	close_channel(c, channel);
}

int child_finish(struct child *c, struct outcome *outcome, struct error *err)
{
	struct process_end end;
	int64_t uptime;
	int rc;

	memset(outcome, 0, sizeof(*outcome));
	rc = process_reap(c->pid, &end, err);
	c->pid = 0; /* whoever reaped it: the number is not ours any more */
	uptime = clock_ms() - c->started_ms;
	for (int i = 0; i < CHANNELS; i++)
		drain(c, (enum channel)i);
	child_restore_terminal(c);
	if (rc != 0)
		return -1;
	if (c->role == CHILD_LOADER) {
		outcome->cause = CAUSE_LOADER_FAILED;
		outcome->status = end.status;
		outcome->signal = end.signal;
		return 0;
	}
	c->plan->hyper->explain(&c->signs, &end, outcome);
	hyper_judge_start(outcome, uptime, c->tail_length > 0);
	return 0;
}
