/* One try of a probe. */
#include "guest/attempt.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/port.h"

#define MAX_STDERR 4096 /* last bytes of a command's stderr */
#define READ_SIZE 4096

static void end_connection(struct attempt *a)
{
	if (a->state != ATTEMPT_CONNECTS && a->state != ATTEMPT_READS)
		return;
	waitset_forget_fd(a->wait, a->fd);
	(void)close(a->fd);
}

static void succeed(struct attempt *a)
{
	end_connection(a);
	a->state = ATTEMPT_SUCCEEDED;
}

/* Takes the reason. */
static void fail(struct attempt *a, char *why)
{
	end_connection(a);
	free(a->why);
	a->why = why;
	a->state = ATTEMPT_FAILED;
}

char *attempt_place(const struct probe *p)
{
	bool v6 = strchr(p->address, ':') != NULL;

	return mem_format("%s%s%s:%d", v6 ? "[" : "", p->address, v6 ? "]" : "", p->port);
}

static void fail_place(struct attempt *a, const char *what)
{
	MEM_AUTO char *place = attempt_place(a->probe);

	fail(a, mem_format("%s: %s", place, what));
}

void attempt_quote(struct str *s, const char *text)
{
	str_add(s, "\"");
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\n' || c == '\r' || c == '\t')
			str_add(s, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
		else if (c < ' ' || c == 0x7f)
			str_addf(s, "\\x%02x", c);
		else
			str_add_n(s, p, 1);
	}
	str_add(s, "\"");
}

/* Fails because the text did not come. */
static void fail_without_text(struct attempt *a, const char *how)
{
	MEM_AUTO char *place = attempt_place(a->probe);
	STR_AUTO struct str quoted = { 0 };

	attempt_quote(&quoted, a->probe->text);
	fail(a, mem_format("%s: no text %s %s", place, quoted.text, how));
}

static void begin_connection(struct attempt *a, const struct attempt_loop *loop)
{
	ERROR_AUTO struct error err = { 0 };
	int why = port_connect(a->probe->address, a->probe->port, &a->fd);

	if (why != 0) {
		fail_place(a, strerror(why));
		return;
	}
	a->state = ATTEMPT_CONNECTS;
	if (waitset_watch_fd(a->wait, a->fd, loop->tag, &err) != 0)
		fail_place(a, err.text);
	else
		waitset_want(a->wait, a->fd, loop->tag, false, true);
	if (a->probe->text != NULL)
		search_begin(&a->text, a->probe->text, strlen(a->probe->text));
}

static void begin_command(struct attempt *a, const struct attempt_loop *loop)
{
	struct job_setup setup = { .argv = a->probe->command.item,
		.stream = { { .kind = JOB_PIPE,
		    .numbers = { STDERR_FILENO },
		    .keep = JOB_KEEP_END,
		    .max = MAX_STDERR } },
		.directory = loop->directory,
		.death_signal = SIGKILL,
		.wait = loop->wait,
		.first_tag = loop->tag,
		.end_tag = loop->end_tag };
	ERROR_AUTO struct error err = { 0 };
	STR_AUTO struct str line = { 0 };

	if (job_start(&a->job, &setup, &err) == 0) {
		a->state = ATTEMPT_RUNS;
		return;
	}
	str_add_line(&line, err.text, MAX_ATTEMPT_QUOTE);
	fail(a, str_take(&line));
}

void attempt_begin(
    struct attempt *a, const struct probe *probe, const struct attempt_loop *loop, int64_t now_ms)
{
	attempt_abandon(a);
	a->probe = probe;
	a->wait = loop->wait;
	a->tag = loop->tag;
	a->until_ms = now_ms + MAX_ATTEMPT_MS;
	if (probe->kind == PROBE_EXEC)
		begin_command(a, loop);
	else
		begin_connection(a, loop);
}

bool attempt_runs(const struct attempt *a)
{
	return a->state >= ATTEMPT_CONNECTS && a->state <= ATTEMPT_KILLED;
}

int64_t attempt_until_ms(const struct attempt *a)
{
	return attempt_runs(a) ? a->until_ms : -1;
}

static void see_to_connection(struct attempt *a)
{
	int why = port_connected(a->fd);

	if (why == EINPROGRESS)
		return;
	if (why != 0) {
		fail_place(a, strerror(why));
	} else if (a->probe->text == NULL) {
		succeed(a);
	} else {
		a->state = ATTEMPT_READS;
		waitset_want(a->wait, a->fd, a->tag, true, false);
	}
}

/* Reads once, so that a server that floods does not block the loop. */
static void read_connection(struct attempt *a)
{
	char bytes[READ_SIZE];
	ssize_t n = read(a->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail_place(a, strerror(errno));
	} else if (n == 0) {
		fail_without_text(a, "before the end of the connection");
	} else if (search_bytes(&a->text, bytes, (size_t)n) > 0) {
		succeed(a);
	} else {
		a->bytes += (size_t)n;
		if (a->bytes >= MAX_ATTEMPT_BYTES)
			fail_without_text(a, "in the first 64 KiB");
	}
}

void attempt_read(struct attempt *a)
{
	if (a->state == ATTEMPT_CONNECTS)
		see_to_connection(a);
	else if (a->state == ATTEMPT_READS)
		read_connection(a);
	else if (a->state == ATTEMPT_RUNS || a->state == ATTEMPT_KILLED)
		job_read(&a->job, 0);
}

const char *attempt_program(const struct probe *p)
{
	const char *slash = strrchr(p->command.item[0], '/');

	return slash == NULL || slash[1] == '\0' ? p->command.item[0] : slash + 1;
}

/* Returns what is wrong with the end of a command, or NULL. */
static char *command_fault(struct attempt *a, const struct process_end *end)
{
	const struct str *text = &a->job.stream[0].text;
	STR_AUTO struct str s = { 0 };
	MEM_AUTO char *last = NULL;

	str_add_line(&s, attempt_program(a->probe), MAX_ATTEMPT_QUOTE);
	if (a->state == ATTEMPT_KILLED)
		str_addf(&s, " did not end within %d s and was killed", MAX_ATTEMPT_MS / 1000);
	else if (end->signal != 0)
		str_addf(&s, " was killed by signal %d (%s)", end->signal, strsignal(end->signal));
	else if (end->status != 0)
		str_addf(&s, " ended with status %d", end->status);
	else
		return NULL;
	if (text->length > 0)
		last = str_last_line(text->text, text->length, " \t\r\n");
	if (last != NULL) {
		str_add(&s, ": ");
		str_add_line(&s, last, MAX_ATTEMPT_QUOTE);
	}
	return str_take(&s);
}

void attempt_command_ended(struct attempt *a)
{
	struct process_end end;
	ERROR_AUTO struct error err = { 0 };
	char *why;

	if (job_finish(&a->job, &end, &err) != 0)
		why = mem_copy(err.text);
	else
		why = command_fault(a, &end);
	job_free(&a->job);
	if (why == NULL)
		succeed(a);
	else
		fail(a, why);
}

/* Gives up a command that was killed and hangs in the kernel. */
static void leave_command(struct attempt *a)
{
	struct process_end none = { 0 };
	char *why = command_fault(a, &none);

	job_leave(&a->job);
	job_free(&a->job);
	fail(a, why);
}

void attempt_late(struct attempt *a, int64_t now_ms)
{
	if (a->state == ATTEMPT_CONNECTS) {
		fail_place(a, strerror(ETIMEDOUT));
	} else if (a->state == ATTEMPT_READS) {
		fail_without_text(a, "within 10 s");
	} else if (a->state == ATTEMPT_RUNS) {
		a->state = ATTEMPT_KILLED;
		a->until_ms = now_ms + MAX_ATTEMPT_KILL_MS;
		job_kill(&a->job);
	} else if (a->state == ATTEMPT_KILLED) {
		leave_command(a);
	}
}

void attempt_abandon(struct attempt *a)
{
	if (a->job.pid != 0) {
		job_kill(&a->job);
		job_leave(&a->job);
	}
	attempt_free(a);
}

void attempt_free(struct attempt *a)
{
	end_connection(a);
	job_free(&a->job);
	search_free(&a->text);
	free(a->why);
	memset(a, 0, sizeof(*a));
}
