/* Runs one command to its end, as a job. */
#include "process/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/io.h"

#define MAX_COMMAND_QUOTE 300 /* bytes of stderr that a message quotes */

/*
 * Opens the command's input, if there is any, as a file without a name: unlike a pipe, the file
 * needs no writer while a slow command reads.
 */
static int open_input(const struct command *what, int *fd, struct error *err)
{
	const char *directory = getenv("TMPDIR");
	MEM_AUTO char *path = mem_format(
	    "%s/vmrun-input-XXXXXX", directory == NULL || *directory == '\0' ? "/tmp" : directory);

	if (what->input == NULL)
		return 0;
	*fd = mkstemp(path);
	if (*fd < 0)
		return error_set(err, STATUS_OS, "%s: %s", path, strerror(errno));
	(void)unlink(path);
	if (fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0 &&
	    write_all(*fd, what->input, what->input_length) == what->input_length &&
	    lseek(*fd, 0, SEEK_SET) == 0)
		return 0;
	return error_set(err, STATUS_OS, "input of %s: %s", what->argv[0], strerror(errno));
}

int command_start(struct job *j, const struct command *what, struct waitset *wait,
    uintptr_t out_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err)
{
	struct job_setup setup = { .argv = what->argv,
		.stream = { [COMMAND_OUT] = { .kind = JOB_PIPE,
				.numbers = { STDOUT_FILENO },
				.keep = JOB_KEEP_BEGINNING,
				.max = what->max_output },
		    [COMMAND_ERR] = { .kind = JOB_PIPE,
			.numbers = { STDERR_FILENO },
			.keep = JOB_KEEP_END,
			.max = MAX_COMMAND_TAIL } },
		.directory = what->directory,
		.environment = what->environment,
		.death_signal = SIGKILL,
		.lock_file = what->lock_file,
		.wait = wait,
		.first_tag = out_tag,
		.end_tag = end_tag };
	int input = -1, rc = open_input(what, &input, err);

	if (what->drops_output)
		setup.stream[COMMAND_OUT].kind = JOB_NONE;
	if (input >= 0)
		job_setup_give(&setup, input, STDIN_FILENO);
	if (rc == 0)
		rc = job_start(j, &setup, err);
	if (input >= 0)
		(void)close(input);
	return rc;
}

bool command_read(struct job *j, int stream)
{
	job_read(j, (size_t)stream);
	return !job_overflowed(j, COMMAND_OUT);
}

int command_finish(struct job *j, struct command_result *out, struct error *err)
{
	int rc = job_finish(j, &out->end, err);

	out->fate = COMMAND_ENDED;
	out->read_error = job_read_error(j, COMMAND_OUT);
	if (job_overflowed(j, COMMAND_OUT))
		out->fate = COMMAND_FLOOD;
	else if (out->read_error != 0)
		out->fate = COMMAND_UNREAD;
	if (rc == 0) {
		out->out_length = j->stream[COMMAND_OUT].text.length;
		out->out = str_take(&j->stream[COMMAND_OUT].text);
		out->err_length = j->stream[COMMAND_ERR].text.length;
		out->err = str_take(&j->stream[COMMAND_ERR].text);
	}
	job_free(j);
	return rc;
}

enum { TAG_END = COMMAND_STREAMS };

static uintptr_t end_tag(pid_t unused)
{
	(void)unused;
	return TAG_END;
}

/*
 * Waits for the end, the limit or a flood.  Each wake-up is one read, so a flooding stream does not
 * hide the end or the limit.
 */
static int wait_for_end(struct job *j, enum command_fate *fate, struct error *err)
{
	struct wake wake = { .kind = WAKE_READABLE };

	*fate = COMMAND_ENDED;
	while (wake.kind == WAKE_READABLE && *fate == COMMAND_ENDED) {
		if (waitset_next(j->wait, -1, &wake, err) < 0)
			return -1;
		if (wake.kind == WAKE_DEADLINE)
			*fate = COMMAND_LATE;
		else if (wake.kind == WAKE_READABLE && !command_read(j, (int)wake.tag))
			*fate = COMMAND_FLOOD;
	}
	return 0;
}

/* Waits for the end of a command, or ends it, and reaps it. */
static int see_to_end(struct job *j, struct command_result *out, struct error *err)
{
	enum command_fate fate;
	int rc = wait_for_end(j, &fate, err);

	if (rc != 0 || fate != COMMAND_ENDED)
		job_kill(j);
	if (command_finish(j, out, err) != 0)
		rc = -1;
	if (fate != COMMAND_ENDED)
		out->fate = fate;
	return rc;
}

int command_run(const struct command *what, struct command_result *out, struct error *err)
{
	struct waitset *wait = NULL;
	struct job j = { 0 };
	int rc;

	memset(out, 0, sizeof(*out));
	rc = waitset_new(&wait, err);
	if (rc == 0)
		rc = waitset_set_deadline(wait, clock_ms() + what->limit_ms, err);
	if (rc == 0)
		rc = command_start(&j, what, wait, COMMAND_OUT, end_tag, err);
	if (rc == 0)
		rc = see_to_end(&j, out, err);
	if (rc != 0)
		command_clear(out);
	waitset_free(wait);
	return rc;
}

/* Adds a text as part of a line, only its end if it is long. */
static void add_last_words(struct str *s, const char *text)
{
	size_t n = strlen(text);

	if (n > MAX_COMMAND_QUOTE) {
		text += n - MAX_COMMAND_QUOTE;
		while (str_is_continuation(*text))
			text++;
		str_add(s, "...");
	}
	str_add_line(s, text, MAX_COMMAND_QUOTE);
}

char *command_trouble(const struct command *what, const struct command_result *result)
{
	const char *name = what->argv[0];
	struct str s = { 0 };

	if (result->fate == COMMAND_LATE)
		str_addf(&s, "%s did not end within %.15g s and was killed", name,
		    (double)what->limit_ms / 1000);
	else if (result->fate == COMMAND_FLOOD)
		str_addf(&s, "%s wrote more than %zu bytes and was killed", name, what->max_output);
	else if (result->fate == COMMAND_UNREAD)
		str_addf(
		    &s, "the output of %s cannot be read: %s", name, strerror(result->read_error));
	else if (result->end.signal != 0)
		str_addf(&s, "%s was killed by signal %d (%s)", name, result->end.signal,
		    strsignal(result->end.signal));
	else if (result->end.status != 0)
		str_addf(&s, "%s ended with status %d", name, result->end.status);
	else
		return NULL;
	if (result->err[strspn(result->err, " \t\r\n")] != '\0') {
		str_add(&s, ": ");
		add_last_words(&s, result->err);
	}
	return str_take(&s);
}

void command_clear(struct command_result *result)
{
	free(result->out);
	free(result->err);
	memset(result, 0, sizeof(*result));
}
