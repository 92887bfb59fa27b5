/* One try of a probe: a connection or a command. */
#include "guest/attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/port.h"

#define MAX_QUOTED_TEXT 100 /* bytes of a text that a message repeats */

/* Ends the try with a failure; takes its reason. */
static enum attempt_result fail(struct attempt *a, char *why)
{
	attempt_end(a);
	free(a->why);
	a->why = why;
	return ATTEMPT_FAILED;
}

static enum attempt_result succeed(struct attempt *a)
{
	attempt_end(a);
	return ATTEMPT_GOOD;
}

/* Returns "127.0.0.1:22", or "[::1]:22".  Caller frees. */
static char *place_of(const struct probe *p)
{
	bool is_v6 = strchr(p->address, ':') != NULL;

	return mem_format("%s%s%s:%d", is_v6 ? "[" : "", p->address, is_v6 ? "]" : "", p->port);
}

static enum attempt_result fail_connection(struct attempt *a, int error)
{
	MEM_AUTO char *place = place_of(a->probe);

	return fail(a, mem_format("%s: %s", place, strerror(error)));
}

static enum attempt_result begin_connection(struct attempt *a)
{
	ERROR_AUTO struct error err = { 0 };

	a->fd = port_connect(a->probe->address, a->probe->port);
	if (a->fd < 0)
		return fail_connection(a, errno);
	if (waitset_watch_fd(
		a->host.wait, a->fd, a->host.first_tag + ATTEMPT_TAG_CONNECTION, &err) != 0)
		return fail(a, mem_copy(err.text));
	waitset_want(
	    a->host.wait, a->fd, a->host.first_tag + ATTEMPT_TAG_CONNECTION, false, true);
	if (a->probe->text != NULL)
		search_begin(&a->text, a->probe->text, strlen(a->probe->text));
	return ATTEMPT_GOES_ON;
}

static enum attempt_result begin_command(struct attempt *a)
{
	ERROR_AUTO struct error err = { 0 };

	a->command = (struct command){ .argv = a->probe->command.item,
		.limit_ms = MAX_ATTEMPT_MS,
		.directory = a->host.directory };
	if (command_start(&a->job, &a->command, a->host.wait,
		a->host.first_tag + ATTEMPT_TAG_OUTPUT, a->host.end_tag, &err) != 0)
		return fail(a, mem_copy(err.text));
	return ATTEMPT_GOES_ON;
}

enum attempt_result attempt_begin(struct attempt *a, const struct probe *probe,
    const struct attempt_host *host, int64_t now_ms)
{
	a->probe = probe;
	a->host = *host;
	a->fd = -1;
	a->is_connected = false;
	a->until_ms = now_ms + MAX_ATTEMPT_MS;
	return probe->kind == PROBE_CONNECT ? begin_connection(a) : begin_command(a);
}

/* Handles that the connection was made, or could not be. */
static enum attempt_result connected(struct attempt *a)
{
	int error = port_connect_error(a->fd);

	if (error != 0)
		return fail_connection(a, error);
	if (a->probe->text == NULL)
		return succeed(a);
	a->is_connected = true;
	waitset_want(
	    a->host.wait, a->fd, a->host.first_tag + ATTEMPT_TAG_CONNECTION, true, false);
	return ATTEMPT_GOES_ON;
}

/* Returns the failure of a server that has not sent the text: "127.0.0.1:22 did not send ...". */
static char *unsent(const struct attempt *a, const char *when)
{
	MEM_AUTO char *place = place_of(a->probe);
	struct str text = { 0 };
	char *why;

	str_add_line(&text, a->probe->text, MAX_QUOTED_TEXT);
	why = mem_format("%s did not send \"%s\" %s", place, text.text, when);
	str_free(&text);
	return why;
}

static enum attempt_result read_connection(struct attempt *a)
{
	char bytes[4096];
	ssize_t n;

	if (!a->is_connected)
		return connected(a);
	n = read(a->fd, bytes, sizeof(bytes));
	if (n > 0)
		return search_bytes(&a->text, bytes, (size_t)n) > 0 ? succeed(a) : ATTEMPT_GOES_ON;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return ATTEMPT_GOES_ON;
	return n < 0 ? fail_connection(a, errno)
		     : fail(a, unsent(a, "before it closed the connection"));
}

enum attempt_result attempt_read(struct attempt *a, uintptr_t tag)
{
	if (a->probe == NULL)
		return ATTEMPT_GOES_ON;
	if (tag == ATTEMPT_TAG_CONNECTION)
		return read_connection(a);
	(void)command_read(&a->job, (int)(tag - ATTEMPT_TAG_OUTPUT));
	return ATTEMPT_GOES_ON;
}

enum attempt_result attempt_ended(struct attempt *a)
{
	COMMAND_RESULT_AUTO struct command_result result = { 0 };
	ERROR_AUTO struct error err = { 0 };
	char *trouble;

	if (command_finish(&a->job, &result, &err) != 0)
		return fail(a, mem_copy(err.text));
	trouble = command_trouble(&a->command, &result);
	return trouble == NULL ? succeed(a) : fail(a, trouble);
}

enum attempt_result attempt_late(struct attempt *a)
{
	MEM_AUTO char *place = NULL;

	if (a->probe->kind == PROBE_EXEC)
		return fail(a, mem_format("%s did not end within %d s and was killed",
				   a->probe->command.item[0], MAX_ATTEMPT_MS / 1000));
	if (a->is_connected)
		return fail(a, unsent(a, "within 10 s"));
	place = place_of(a->probe);
	return fail(a, mem_format("%s did not accept a connection within %d s", place,
			   MAX_ATTEMPT_MS / 1000));
}

void attempt_end(struct attempt *a)
{
	if (a->probe == NULL)
		return;
	if (a->fd >= 0) {
		waitset_forget_fd(a->host.wait, a->fd);
		(void)close(a->fd);
	}
	a->fd = -1;
	if (a->job.pid != 0) {
		job_kill(&a->job);
		job_leave(&a->job);
	}
	job_free(&a->job);
	search_free(&a->text);
	a->probe = NULL;
}

void attempt_close(struct attempt *a)
{
	if (a->job.pid != 0)
		job_free(&a->job);
	attempt_end(a);
	free(a->why);
	memset(a, 0, sizeof(*a));
}
