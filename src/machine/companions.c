/* Companions of a VM. */
#include "machine/companions.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/os.h"
#include "platform/socket.h"
#include "platform/spawn.h"

#define MOST_RESTARTS 5 /* of one that ends again and again: then somebody has to look at it */

struct companion_run *companions_find(struct companions *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->item[i]->wanted && strcmp(c->item[i]->name, name) == 0)
			return c->item[i];
	}
	return NULL;
}

/* One that runs already with this command, whether it is wanted or not. */
static struct companion_run *find_same(
    struct companions *c, const char *name, const struct words *command)
{
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->item[i]->name, name) == 0 &&
		    words_equal(&c->item[i]->command, command))
			return c->item[i];
	}
	return NULL;
}

void companions_want_one(
    struct companions *c, const char *name, const struct words *command, bool restart)
{
	struct companion_run *run = find_same(c, name, command);

	if (run == NULL) {
		run = mem_zero(sizeof(*run));
		run->name = mem_copy(name);
		run->fd = -1;
		words_append(&run->command, command);
		c->item = mem_resize(c->item, c->count + 1, sizeof(*c->item));
		c->item[c->count++] = run;
	}
	run->wanted = true;
	run->restart = restart;
}

void companions_want(struct companions *c, const struct spec *spec)
{
	const struct companion *item = spec->companions.item;

	for (size_t i = 0; i < c->count; i++)
		c->item[i]->wanted = false;
	for (size_t i = 0; i < spec->companions.count; i++)
		companions_want_one(c, item[i].name, &item[i].command, item[i].restart);
	for (size_t i = 0; i < c->count; i++) {
		if (!c->item[i]->wanted && c->item[i]->pid != 0)
			(void)kill(c->item[i]->pid, SIGTERM);
	}
}

static size_t index_of(const struct companions *c, const struct companion_run *run)
{
	size_t i = 0;

	while (c->item[i] != run)
		i++;
	return i;
}

static void close_output(struct companions *c, struct companion_run *run)
{
	if (run->fd < 0)
		return;
	waitset_forget_fd(c->wait, run->fd);
	(void)close(run->fd);
	run->fd = -1;
}

/* Its end could never be seen. */
static void end_unwatched(struct companion_run *run)
{
	struct process_end end;
	struct error ignored = { 0 };

	(void)kill(-run->pid, SIGKILL);
	(void)process_reap(run->pid, &end, &ignored);
	error_clear(&ignored);
	run->pid = 0;
}

int companion_start(struct companions *c, struct companion_run *run, struct error *err)
{
	MEM_AUTO char *path = program_find(run->command.item[0], err);
	int theirs = -1, rc = path == NULL ? -1 : 0;

	run->ready = false;
	close_output(c, run);
	if (rc == 0)
		rc = socket_pipe(&run->fd, &theirs, err);
	if (rc == 0)
		rc = waitset_watch_fd(c->wait, run->fd, c->first_tag + index_of(c, run), err);
	if (rc == 0) {
		struct spawn_fd fds[] = { { theirs, STDOUT_FILENO }, { theirs, STDERR_FILENO } };
		struct spawn what = { .argv = run->command.item,
			.path = path,
			.fds = fds,
			.fd_count = 2,
			.own_group = true,
			.death_signal = SIGTERM };

		rc = spawn_process(&what, &run->pid, err);
		(void)os_process_start(run->pid, &run->start);
	}
	if (theirs >= 0)
		(void)close(theirs);
	if (rc == 0 && waitset_watch_child(c->wait, run->pid, c->end_tag(run->pid), err) != 0) {
		end_unwatched(run);
		rc = -1;
	}
	if (rc != 0) {
		close_output(c, run);
		(void)error_prefix(err, "companion %s", run->name);
	}
	return rc;
}

static void say(struct companions *c, const struct companion_run *run, const char *line)
{
	struct event_record *r = event_add(c->events, VMRUN_OUTPUT);

	event_by(r, run->name);
	event_text(r, line);
}

static bool read_once(struct companions *c, struct companion_run *run)
{
	char bytes[4096];
	ssize_t n = read(run->fd, bytes, sizeof(bytes));
	const char *line;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_output(c, run);
	for (size_t done = 0; n > 0 && done < (size_t)n;) {
		done += lines_add(&run->lines, bytes + done, (size_t)n - done);
		while ((line = lines_next(&run->lines)) != NULL)
			say(c, run, line);
	}
	return n > 0;
}

void companions_read(struct companions *c, size_t index)
{
	if (index < c->count && c->item[index]->fd >= 0)
		(void)read_once(c, c->item[index]);
}

static void warn(struct companions *c, char *text)
{
	event_text(event_add(c->events, VMRUN_WARNING), text);
	free(text);
}

/* It has ended while it was wanted. */
static void start_again(struct companions *c, struct companion_run *run)
{
	MEM_AUTO char *how = run->signal != 0 ? mem_format("of signal %d", run->signal)
					      : mem_format("with status %d", run->status);
	struct error err = { 0 };

	if (!run->restart) {
		warn(c, mem_format("companion %s ended %s", run->name, how));
	} else if (++run->restarts > MOST_RESTARTS) {
		warn(c,
		    mem_format("companion %s ended %s, after %d restarts: left alone", run->name,
			how, MOST_RESTARTS));
	} else if (companion_start(c, run, &err) != 0) {
		warn(c, mem_copy(err.text));
		error_clear(&err);
	} else {
		warn(c, mem_format("companion %s ended %s: started again", run->name, how));
	}
}

struct companion_run *companions_ended(struct companions *c, pid_t pid)
{
	for (size_t i = 0; i < c->count; i++) {
		struct companion_run *run = c->item[i];
		struct process_end end = { -1, 0 };
		struct error ignored = { 0 };

		if (run->pid != pid)
			continue;
		(void)process_reap(pid, &end, &ignored);
		error_clear(&ignored);
		run->pid = 0;
		run->status = end.status;
		run->signal = end.signal;
		for (int k = 0; k < 64 && run->fd >= 0 && read_once(c, run); k++)
			;
		close_output(c, run);
		if (run->wanted && run->ready)
			start_again(c, run);
		return run;
	}
	return NULL;
}

size_t companions_running(const struct companions *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->item[i]->pid != 0 ? 1 : 0;
	return n;
}

size_t companions_signal(struct companions *c, int signal)
{
	for (size_t i = 0; i < c->count; i++) {
		c->item[i]->wanted = false;
		if (c->item[i]->pid != 0)
			(void)kill(c->item[i]->pid, signal);
	}
	return companions_running(c);
}

void companions_forget(struct companions *c)
{
	for (size_t i = 0; i < c->count; i++)
		c->item[i]->pid = 0;
}

void companions_clear(struct companions *c)
{
	(void)companions_signal(c, SIGKILL);
	for (size_t i = 0; i < c->count; i++) {
		struct companion_run *run = c->item[i];

		if (run->pid != 0)
			(void)companions_ended(c, run->pid);
		close_output(c, run);
		free(run->name);
		words_free(&run->command);
		free(run);
	}
	free(c->item);
	c->item = NULL;
	c->count = 0;
}
