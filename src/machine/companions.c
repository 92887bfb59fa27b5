/* Companions of a VM, as jobs. */
#include "machine/companions.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_RESTARTS 5 /* of one companion, in the whole supervision */

enum { OUTPUT }; /* the only stream of a companion's job */

struct companion_run *companions_find(struct companions *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->item[i]->wanted && strcmp(c->item[i]->name, name) == 0)
			return c->item[i];
	}
	return NULL;
}

/* Finds a companion of that name and command, whether the present boot wants it or not. */
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

struct companion_run *companions_want_one(
    struct companions *c, const char *name, const struct words *command, bool restart)
{
	struct companion_run *run = find_same(c, name, command);

	if (run == NULL) {
		run = mem_zero(sizeof(*run));
		run->name = mem_copy(name);
		run->events = c->events;
		words_append(&run->command, command);
		c->item = mem_resize(c->item, c->count + 1, sizeof(*c->item));
		c->item[c->count++] = run;
	}
	run->wanted = true;
	run->restart = restart;
	run->of_boot = false;
	return run;
}

void companions_want(struct companions *c, const struct spec *spec)
{
	const struct companion *item = spec->companions.item;
	const char *tpm = spec->tpm.type == TPM_SWTPM ? spec_maker(spec, spec->tpm.path) : NULL;

	for (size_t i = 0; i < c->count; i++)
		c->item[i]->wanted = false;
	for (size_t i = 0; i < spec->companions.count; i++)
		companions_want_one(c, item[i].name, &item[i].command, item[i].restart)->of_boot =
		    tpm != NULL && strcmp(item[i].name, tpm) == 0;
}

/* Returns whether a companion has to end before the present boot starts its own. */
static bool must_end(const struct companion_run *run)
{
	return run->job.pid != 0 && (!run->wanted || run->ending);
}

struct companion_run *companions_unwanted(struct companions *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (must_end(c->item[i]))
			return c->item[i];
	}
	return NULL;
}

void companions_end_unwanted(struct companions *c, int signal)
{
	for (size_t i = 0; i < c->count; i++) {
		struct companion_run *run = c->item[i];

		if (!must_end(run))
			continue;
		run->ready = false;
		job_signal_all(&run->job, signal);
	}
}

void companions_end_boot(struct companions *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct companion_run *run = c->item[i];

		if (!run->of_boot || run->job.pid == 0)
			continue;
		run->ready = false;
		run->ending = true;
		job_signal_all(&run->job, SIGTERM);
	}
}

static size_t index_of(const struct companions *c, const struct companion_run *run)
{
	size_t i = 0;

	while (c->item[i] != run)
		i++;
	return i;
}

static void say(const struct companion_run *run, const char *line)
{
	struct event_record *r = event_add(run->events, VMRUN_OUTPUT);

	event_by(r, run->name);
	event_text(r, line);
}

static void hear(void *context, size_t stream, const char *bytes, size_t n)
{
	struct companion_run *run = context;
	const char *line;

	(void)stream;
	for (size_t done = 0; done < n;) {
		done += lines_add(&run->lines, bytes + done, n - done);
		while ((line = lines_next(&run->lines)) != NULL)
			say(run, line);
	}
}

/* Reports a last line without a newline. */
static void say_rest(struct companion_run *run)
{
	const char *rest = lines_rest(&run->lines);

	if (rest != NULL)
		say(run, rest);
	lines_clear(&run->lines);
}

int companion_start(struct companions *c, struct companion_run *run, struct error *err)
{
	const struct job_setup setup = { .argv = run->command.item,
		.stream = { [OUTPUT] = { .kind = JOB_PIPE,
				.numbers = { STDOUT_FILENO, STDERR_FILENO } } },
		.death_signal = SIGTERM,
		.wait = c->wait,
		.first_tag = c->first_tag + index_of(c, run),
		.end_tag = c->end_tag,
		.hear = hear,
		.hear_context = run };

	run->restarted = false;
	if (job_start(&run->job, &setup, err) == 0) {
		run->group = run->job.pid;
		return 0;
	}
	return error_prefix(err, "companion %s", run->name);
}

void companions_read(struct companions *c, size_t index)
{
	if (index < c->count)
		job_read(&c->item[index]->job, OUTPUT);
}

static void warn(struct companions *c, char *text)
{
	event_text(event_add(c->events, VMRUN_WARNING), text);
	free(text);
}

/* Warns that a companion has ended that the boot needs, and starts it again if it may. */
static void start_again(struct companions *c, struct companion_run *run)
{
	MEM_AUTO char *how = run->end.signal != 0 ? mem_format("of signal %d", run->end.signal)
						  : mem_format("with status %d", run->end.status);
	ERROR_AUTO struct error err = { 0 };

	if (run->of_boot && !run->restart) {
		warn(c,
		    mem_format("companion %s ended %s: the guest has no TPM until the next boot",
			run->name, how));
	} else if (!run->restart) {
		warn(c, mem_format("companion %s ended %s", run->name, how));
	} else if (++run->restarts > MAX_RESTARTS) {
		warn(c,
		    mem_format(
			"companion %s ended %s, after %d restarts: vmrun does not restart it again",
			run->name, how, MAX_RESTARTS));
	} else if (companion_start(c, run, &err) != 0) {
		warn(c, mem_copy(err.text));
	} else {
		run->restarted = true;
		warn(c, mem_format("companion %s ended %s: restarting it", run->name, how));
	}
}

struct companion_run *companions_of_pid(struct companions *c, pid_t pid)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->item[i]->job.pid == pid)
			return c->item[i];
	}
	return NULL;
}

struct companion_run *companions_ended(struct companions *c, pid_t pid)
{
	struct companion_run *run = companions_of_pid(c, pid);

	if (run == NULL)
		return NULL;
	(void)job_finish(&run->job, &run->end, NULL);
	say_rest(run);
	run->ending = false;
	if (run->wanted && run->ready)
		start_again(c, run);
	return run;
}

/* Returns whether a companion has ended and left processes. */
static bool lingers(const struct companion_run *run)
{
	return run->job.pid == 0 && process_group_remains(run->group);
}

size_t companions_running(const struct companions *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->item[i]->job.pid != 0 || lingers(c->item[i]) ? 1 : 0;
	return n;
}

bool companions_unreaped(const struct companions *c)
{
	bool any = false;

	for (size_t i = 0; i < c->count; i++)
		any = any || c->item[i]->job.pid != 0;
	return any;
}

bool companions_linger(const struct companions *c)
{
	bool any = false;

	for (size_t i = 0; i < c->count; i++)
		any = any || lingers(c->item[i]);
	return any;
}

size_t companions_signal(struct companions *c, int signal)
{
	for (size_t i = 0; i < c->count; i++) {
		struct companion_run *run = c->item[i];

		run->wanted = false;
		job_signal_group(&run->job, run->group, signal);
	}
	return companions_running(c);
}

void companions_forget(struct companions *c)
{
	for (size_t i = 0; i < c->count; i++) {
		job_leave(&c->item[i]->job);
		c->item[i]->group = 0;
	}
}

void companions_clear(struct companions *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct companion_run *run = c->item[i];

		job_free(&run->job);
		lines_clear(&run->lines);
		free(run->name);
		words_free(&run->command);
		free(run);
	}
	free(c->item);
	c->item = NULL;
	c->count = 0;
}
