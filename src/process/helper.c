/* Helpers: vmrun's own commands, as jobs. */
#include "process/helper.h"

#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

/* For a command that changes the host: while the loop waits, and when no loop follows. */
#define SHORT_WAIT_MS 50
#define LONG_WAIT_MS 10000

enum { OUTPUT }; /* the only stream of a helper's job */

static const int captured[][MAX_JOB_NUMBERS] = {
	[HELPER_SILENT] = { 0 },
	[HELPER_STDOUT] = { STDOUT_FILENO },
	[HELPER_ALL] = { STDOUT_FILENO, STDERR_FILENO },
};
_Static_assert(sizeof(captured) / sizeof(*captured) == HELPER_CAPTURES, "a row for each capture");

int helper_start(struct helper *h, const struct words *command, enum helper_capture capture,
    struct waitset *wait, uintptr_t output_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err)
{
	struct job_setup setup = { .argv = command->item,
		.death_signal = SIGKILL,
		.lock_file = h->lock_file,
		.wait = wait,
		.first_tag = output_tag,
		.end_tag = end_tag };
	struct job_stream_setup *output = &setup.stream[OUTPUT];

	output->kind = capture == HELPER_SILENT ? JOB_NONE : JOB_PIPE;
	output->keep = JOB_KEEP_BEGINNING;
	output->max = MAX_HELPER_OUTPUT;
	for (size_t i = 0; i < MAX_JOB_NUMBERS; i++)
		output->numbers[i] = captured[capture][i];
	job_kill(&h->job);
	job_leave(&h->job);
	h->changes_host = h->lock_file != NULL;
	h->lock_file = NULL;
	h->status = -1;
	h->killed = false;
	return job_start(&h->job, &setup, err);
}

void helper_read(struct helper *h)
{
	job_read(&h->job, OUTPUT);
}

bool helper_ended(struct helper *h, pid_t pid)
{
	struct process_end end;

	if (pid != h->job.pid) {
		(void)process_reap(pid, &end, NULL);
		return false;
	}
	(void)job_finish(&h->job, &end, NULL);
	h->status = end.status;
	return true;
}

const char *helper_output(const struct helper *h)
{
	const char *text = h->job.stream[OUTPUT].text.text;

	return text == NULL ? "" : text;
}

int helper_read_error(const struct helper *h)
{
	return job_read_error(&h->job, OUTPUT);
}

char *helper_trouble(const struct helper *h)
{
	char *line = str_last_line(helper_output(h), h->job.stream[OUTPUT].text.length, "\n");

	if (line != NULL)
		return line;
	return h->status < 0 ? mem_copy("it was killed")
			     : mem_format("it ended with status %d", h->status);
}

void helper_kill(struct helper *h)
{
	if (h->job.pid == 0)
		return;
	h->killed = true;
	job_kill(&h->job);
}

void helper_give_up(struct helper *h)
{
	job_leave(&h->job);
}

void helper_abandon(struct helper *h)
{
	if (h->changes_host)
		job_let_end(&h->job, SHORT_WAIT_MS);
	helper_kill(h);
	helper_give_up(h);
}

void helper_free(struct helper *h)
{
	if (h->changes_host)
		job_let_end(&h->job, LONG_WAIT_MS);
	job_free(&h->job);
}
