/* The commands that are one request and one answer. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"
#include "vmrunctl/past.h"
#include "vmrun/vmrun.h"

#define RELOAD_MS 60000 /* for a reload, which may wait for commands of the spec */
#define CLOSE_MS 2000	/* between the end of a VM and the exit of its vmrun */
#define RETRY_MS 50	/* between two attempts to connect */

int ctl_status(const struct ctl *ctl)
{
	MEM_AUTO char *request = ctl_request_json("status", NULL, NULL);
	struct connection connection;
	char *answer;
	int status = ctl_open(ctl, &connection, false);

	/* A vmrun that does not answer has not ended. */
	if (status == CTL_NOT_RUNNING && ctl_is_gone(errno) && history_show_end(ctl))
		return status;
	if (status != STATUS_OK)
		return ctl_open(ctl, &connection, true);
	status = ctl_send(ctl, &connection, request, CTL_ANSWER_MS, &answer);
	if (status == STATUS_OK && ctl->json)
		(void)puts(answer);
	else if (status == STATUS_OK)
		show_status(answer);
	free(answer);
	connection_close(&connection);
	return status;
}

void ctl_wait_for_close(struct connection *connection)
{
	int64_t until = connection_deadline_ms(CLOSE_MS);
	char *line;

	while ((line = connection_read_line(connection, until)) != NULL)
		free(line);
}

static void print_done(const struct ctl *ctl)
{
	if (strcmp(ctl->command, "next") == 0)
		(void)printf("%s: boots %s next\n", ctl->vm, ctl->argument);
	else if (strcmp(ctl->command, "reload") == 0)
		(void)printf(
		    "%s: the spec was read again: it holds from the next boot on\n", ctl->vm);
	else
		(void)printf("%s: boots again\n", ctl->vm);
}

int ctl_simple(const struct ctl *ctl)
{
	struct connection connection;
	int status = ctl_open(ctl, &connection, true);
	MEM_AUTO char *request = NULL;

	if (status != STATUS_OK)
		return status;
	request = ctl_request_json(ctl->command, "target", ctl->argument);
	status = ctl_send(ctl, &connection, request,
	    strcmp(ctl->command, "reload") == 0 ? RELOAD_MS : CTL_ANSWER_MS, NULL);
	if (status == STATUS_OK && !ctl->json)
		print_done(ctl);
	connection_close(&connection);
	return status;
}

/*
 * Connects; with a timeout also waits for a vmrun that has not started yet, and reduces *left_ms by
 * that time.
 */
static int connect_within(const struct ctl *ctl, struct connection *connection, int64_t *left_ms)
{
	int64_t until = connection_deadline_ms(*left_ms);
	int status;

	if (*left_ms < 0)
		return ctl_connect(ctl, connection);
	while ((status = ctl_open(ctl, connection, false)) != STATUS_OK) {
		int64_t left = until - connection_now_ms();

		/* A negative time would mean no timeout if the last attempt succeeds. */
		*left_ms = left > 0 ? left : 0;
		if (left <= 0 || status != CTL_NOT_RUNNING)
			return ctl_open(ctl, connection, true);
		(void)poll(NULL, 0, RETRY_MS);
	}
	return STATUS_OK;
}

char *ctl_wait_request(const struct ctl *ctl, int64_t left_ms)
{
	MEM_AUTO char *seconds = mem_format("%.3f", (double)left_ms / 1000);
	struct str request = { 0 };

	json_begin_object(&request, NULL);
	json_add_text(&request, "cmd", strcmp(ctl->command, "wait-for") == 0 ? "wait-for" : "wait");
	if (strcmp(ctl->command, "wait-for") == 0)
		json_add_text(&request, "text", ctl->argument);
	else if (ctl->gone)
		json_add_bool(&request, "gone", true);
	else if (ctl->ready)
		json_add_bool(&request, "ready", true);
	else
		json_add_text(&request, "state", ctl->state != NULL ? ctl->state : "running");
	if (ctl->backlog)
		json_add_bool(&request, "backlog", true);
	if (left_ms >= 0)
		json_add_json(&request, "timeout", seconds);
	json_end_object(&request);
	return str_take(&request);
}

/* Connects to a vmrun whose end is awaited; sets *gone if it has exited already. */
static int open_until_gone(const struct ctl *ctl, struct connection *connection, bool *gone)
{
	int status = ctl_open(ctl, connection, false);

	*gone = status != STATUS_OK && ctl_is_gone(errno);
	if (*gone)
		return STATUS_OK;
	if (status != STATUS_OK)
		return ctl_open(ctl, connection, true);
	return ctl_ping(ctl, connection);
}

static int report_gone(const struct ctl *ctl)
{
	if (ctl->json)
		(void)puts(CTL_OK);
	return STATUS_OK;
}

int ctl_wait(const struct ctl *ctl)
{
	int64_t left_ms = ctl->timeout_ms;
	MEM_AUTO char *request = NULL;
	struct connection connection;
	bool gone = false;
	int status = ctl->gone ? open_until_gone(ctl, &connection, &gone)
			       : connect_within(ctl, &connection, &left_ms);

	if (status != STATUS_OK)
		return status;
	if (gone)
		return report_gone(ctl);
	request = ctl_wait_request(ctl, left_ms);
	/* vmrun enforces the timeout; the additional time is for one that hangs. */
	status =
	    ctl_send(ctl, &connection, request, left_ms < 0 ? -1 : left_ms + CTL_ANSWER_MS, NULL);
	if (status == STATUS_OK && ctl->gone)
		ctl_wait_for_close(&connection);
	connection_close(&connection);
	return status;
}

static int forget_in_file(const struct ctl *ctl)
{
	char *why = NULL;
	int status = vmrun_forget(ctl->run_dir, ctl->state_dir, ctl->vm, ctl->argument, &why);

	if (status != 0)
		status = ctl_error(ctl,
		    status == STATUS_OS || status == STATUS_DENIED ? status : CTL_REFUSED, "%s",
		    why);
	else if (ctl->json)
		(void)puts(CTL_OK);
	free(why);
	return status;
}

static int request_forget(const struct ctl *ctl, struct connection *connection)
{
	MEM_AUTO char *request = ctl_request_json(ctl->command, "hook", ctl->argument);
	int status = ctl_send(ctl, connection, request, CTL_ANSWER_MS, NULL);

	connection_close(connection);
	return status;
}

/* Sends a request to a running vmrun, which has the state in memory, else edits the file. */
int ctl_forget(const struct ctl *ctl)
{
	struct connection connection;
	int status = ctl_open(ctl, &connection, false);

	if (status == STATUS_OK)
		status = request_forget(ctl, &connection);
	else if (status == CTL_NOT_RUNNING)
		status = forget_in_file(ctl);
	else
		status = ctl_open(ctl, &connection, true);
	if (status == STATUS_OK && !ctl->json)
		(void)printf("%s: what %s had kept is forgotten\n", ctl->vm, ctl->argument);
	return status;
}
