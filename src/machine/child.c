/* The hypervisor, or its loader, as a job. */
#include "machine/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/io.h"

_Static_assert((int)CHANNELS <= (int)MAX_JOB_STREAMS, "a stream of the job for each channel");

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

/* Adds a stream of the job for each channel. */
static void add_channels(const struct child *c, struct job_setup *setup)
{
	bool is_loader = c->role == CHILD_LOADER;

	setup->stream[CHANNEL_STDERR] = (struct job_stream_setup){ .kind = JOB_PIPE,
		.numbers = { STDERR_FILENO },
		.keep = JOB_KEEP_END,
		.max = MAX_CHILD_TAIL };
	if (!child_uses_stdio(c))
		setup->stream[CHANNEL_STDERR].numbers[1] = STDOUT_FILENO;
	if (!is_loader && c->plan->has_control)
		setup->stream[CHANNEL_CONTROL] = (struct job_stream_setup){ .kind = JOB_SOCKET,
			.numbers = { CHANNEL_CONTROL_FD } };
	if (!is_loader && c->plan->has_log)
		setup->stream[CHANNEL_LOG] =
		    (struct job_stream_setup){ .kind = JOB_PIPE, .numbers = { CHANNEL_LOG_FD } };
}

/*
 * Adds the descriptors that the program inherits; /dev/null replaces those that vmrun has closed.
 */
static void add_inputs(
    const struct child *c, struct job_setup *setup, const struct child_inputs *inputs)
{
	if (has_input(c) && fcntl(inputs->console, F_GETFD) >= 0)
		job_setup_give(setup, inputs->console, STDIN_FILENO);
	if (child_uses_stdio(c) && fcntl(STDOUT_FILENO, F_GETFD) >= 0)
		job_setup_give(setup, STDOUT_FILENO, STDOUT_FILENO);
	if (inputs->lock >= 0)
		job_setup_give(setup, inputs->lock, LOCK_FD);
	setup->reads_terminal = child_uses_stdio(c) && isatty(inputs->console) != 0;
}

/* Saves the terminal settings, which only a program that uses stdio can change. */
static void save_terminal(struct child *c, int console)
{
	if (!child_uses_stdio(c))
		return;
	terminal_save(&c->terminal[0], console);
	terminal_save(&c->terminal[1], STDOUT_FILENO);
	terminal_save(&c->terminal[2], STDERR_FILENO);
}

void child_restore_terminal(const struct child *c)
{
	for (int i = 0; i < CHILD_TERMINALS && child_uses_stdio(c); i++)
		terminal_restore(&c->terminal[i]);
}

/*
 * Opens the user's copy of the log, and empties the file as qemu does.  Nothing may block vmrun: a
 * FIFO needs a reader.
 */
static int open_log(struct child *c, struct error *err)
{
	const char *path = c->plan->log.path;
	int fd;

	if (c->role == CHILD_LOADER || !c->plan->log.is_shown || path == NULL)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	if (fd >= 0) {
		c->log = fd;
		c->has_log = true;
		return 0;
	}
	return error_set(err, STATUS_OS, "cannot write the hypervisor's log to %s: %s", path,
	    errno == ENXIO ? "no program reads this FIFO" : strerror(errno));
}

static void close_log(struct child *c)
{
	if (c->has_log)
		(void)close(c->log);
	c->has_log = false;
	str_free(&c->copied);
}

/*
 * Writes what has been copied, so that a reader of the file keeps up with the guest.  A failure is
 * reported once, and ends the copy.
 */
static void flush_log(struct child *c)
{
	MEM_AUTO char *text = NULL;

	if (!c->has_log ||
	    write_all(c->log, c->copied.text, c->copied.length) == c->copied.length) {
		c->copied.length = 0;
		return;
	}
	text = mem_format("cannot write the log to %s: %s", c->plan->log.path, strerror(errno));
	close_log(c);
	c->say(c->say_context, text);
}

static void copy_log(struct child *c, const char *line)
{
	if (!c->plan->log.is_shown || (c->signs.is_own_line && !c->plan->log.shows_all))
		return;
	if (c->plan->log.path == NULL) {
		c->say(c->say_context, line);
	} else if (c->has_log) {
		str_add(&c->copied, line);
		str_add(&c->copied, c->lines[CHANNEL_LOG].was_cut ? "" : "\n");
	}
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
	if (channel == CHANNEL_LOG)
		copy_log(c, line);
}

static void hear(void *context, size_t stream, const char *bytes, size_t n)
{
	struct child *c = context;
	struct lines *lines = &c->lines[stream];
	const char *line;

	while (n > 0) {
		size_t taken = lines_add(lines, bytes, n);

		bytes += taken;
		n -= taken;
		while ((line = lines_next(lines)) != NULL)
			take_line(c, (enum channel)stream, line);
	}
}

static uintptr_t end_tag(pid_t pid)
{
	(void)pid;
	return CHILD_TAG_END;
}

/* Clears the output of the previous program. */
static void forget(struct child *c)
{
	str_free(&c->tail);
	memset(&c->signs, 0, sizeof(c->signs));
	for (int i = 0; i < CHANNELS; i++)
		lines_clear(&c->lines[i]);
}

void child_free(struct child *c)
{
	job_free(&c->job);
	str_free(&c->tail);
	for (int i = 0; i < CHANNELS; i++)
		lines_clear(&c->lines[i]);
}

int child_start(struct child *c, const struct plan *plan, enum child_role role,
    struct waitset *wait, const struct child_inputs *inputs, struct error *err)
{
	struct job_setup setup = { .death_signal = SIGTERM,
		.changed_signals = inputs->changed_signals,
		.wait = wait,
		.first_tag = CHANNEL_STDERR,
		.end_tag = end_tag,
		.hear = hear,
		.hear_context = c };

	c->plan = plan;
	c->role = role;
	forget(c);
	save_terminal(c, inputs->console);
	setup.argv = words_of(c);
	add_channels(c, &setup);
	add_inputs(c, &setup, inputs);
	if (open_log(c, err) != 0 || job_start(&c->job, &setup, err) != 0) {
		close_log(c);
		child_restore_terminal(c);
		return -1;
	}
	c->started_ms = clock_ms();
	c->signs.waits_for_vnc = plan->waits_for_vnc;
	c->signs.halt.processors = plan->processors;
	c->signs.threads = (struct thread_query){ .asked = plan->threads.asked,
		.starts_guest = plan->threads.starts_guest,
		.tell = c->tell_thread,
		.context = c->say_context };
	if (plan->first_message != NULL && role == CHILD_HYPERVISOR)
		child_control(c, plan->first_message);
	return 0;
}

void child_signal(const struct child *c, int signal)
{
	job_signal(&c->job, signal);
}

void child_control(const struct child *c, const char *text)
{
	/* A few hundred bytes always fit; a hypervisor that does not read is stopped by signals. */
	job_write(&c->job, CHANNEL_CONTROL, text);
}

void child_read(struct child *c, enum channel channel)
{
	job_read(&c->job, channel);
	if (channel == CHANNEL_LOG)
		flush_log(c);
}

/* Takes the end of stderr, without NULs as in lines: it is a string for all that read it. */
static void keep_tail(struct child *c)
{
	struct str *kept = &c->job.stream[CHANNEL_STDERR].text;

	str_free(&c->tail);
	c->tail = *kept;
	memset(kept, 0, sizeof(*kept));
	for (size_t i = 0; i < c->tail.length; i++) {
		if (c->tail.text[i] == '\0')
			c->tail.text[i] = '?';
	}
}

/* Handles last lines without a newline, and keeps the end of stderr. */
static void take_rest(struct child *c)
{
	const char *rest;

	for (int i = 0; i < CHANNELS; i++) {
		rest = lines_rest(&c->lines[i]);
		if (rest != NULL)
			take_line(c, (enum channel)i, rest);
	}
	keep_tail(c);
}

const char *child_tail(const struct child *c)
{
	return c->tail.text == NULL ? "" : c->tail.text;
}

int child_finish(struct child *c, struct outcome *outcome, struct error *err)
{
	int64_t uptime = clock_ms() - c->started_ms;
	struct process_end end;
	int rc;

	memset(outcome, 0, sizeof(*outcome));
	rc = job_finish(&c->job, &end, err);
	take_rest(c);
	flush_log(c);
	close_log(c);
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
	hyper_judge_messages(c->plan->hyper, outcome, uptime, child_tail(c));
	hyper_judge_prefix(c->plan, &c->signs, &end, outcome);
	return 0;
}
