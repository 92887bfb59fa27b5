/* The commands that are one request and one answer. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"
#include "vmrunctl/past.h"
#include "vmrun/vmrun.h"

#define RELOAD_MS 60000 /* for a reload, which may wait for commands of the spec */
#define RETRY_MS 50	/* between two attempts to connect */

int ctl_status(const struct ctl *ctl)
{
	MEM_AUTO char *request = ctl_request_json("status", NULL, NULL);
	CLIENT_AUTO struct vmrun_client *client = NULL;
	MEM_AUTO char *answer = NULL;
	int status = ctl_try(ctl, &client);

	/* A vmrun that does not answer has not ended, nor has a hypervisor without vmrun. */
	if (status == VMRUN_CLIENT_NOT_RUNNING && vmrun_client_survivor(client, NULL) == 0 &&
	    history_show_end(ctl))
		return CTL_NOT_RUNNING;
	if (status != VMRUN_CLIENT_OK)
		return ctl_fail(ctl, client, status);
	status = ctl_ask(ctl, client, request, CTL_ANSWER_MS, &answer);
	if (status == STATUS_OK && ctl->json)
		(void)puts(answer);
	else if (status == STATUS_OK)
		show_status(answer);
	return status;
}

static void print_done(const struct ctl *ctl)
{
	if (strcmp(ctl->command, "next") == 0)
		(void)printf("%s: next boot: target %s\n", ctl->vm, ctl->argument);
	else if (strcmp(ctl->command, "reload") == 0)
		(void)printf(
		    "%s: read the spec again; it takes effect at the next boot\n", ctl->vm);
	else
		(void)printf("%s: booting again\n", ctl->vm);
}

int ctl_simple(const struct ctl *ctl)
{
	MEM_AUTO char *request = ctl_request_json(ctl->command, "target", ctl->argument);
	CLIENT_AUTO struct vmrun_client *client = NULL;
	int status = ctl_open(ctl, &client);

	if (status != STATUS_OK)
		return status;
	status = ctl_ask(ctl, client, request,
	    strcmp(ctl->command, "reload") == 0 ? RELOAD_MS : CTL_ANSWER_MS, NULL);
	if (status == STATUS_OK && !ctl->json)
		print_done(ctl);
	return status;
}

/*
 * Connects; with a timeout also waits for a vmrun that has not started yet, and reduces *left_ms by
 * that time.
 */
static int connect_within(const struct ctl *ctl, struct vmrun_client **client, int64_t *left_ms)
{
	int64_t until = ctl_now_ms() + *left_ms;
	int status;

	if (*left_ms < 0)
		return ctl_connect(ctl, client);
	while ((status = ctl_try(ctl, client)) != VMRUN_CLIENT_OK) {
		int64_t left = until - ctl_now_ms();

		if (left <= 0 ||
		    (status != VMRUN_CLIENT_NOT_RUNNING && status != VMRUN_CLIENT_TIMED_OUT))
			return ctl_fail(ctl, *client, status);
		*left_ms = left;
		ctl_close(client);
		(void)poll(NULL, 0, RETRY_MS);
	}
	return STATUS_OK;
}

/* Connects to a vmrun whose end is awaited, and which may have exited already. */
static int open_until_gone(const struct ctl *ctl, struct vmrun_client **client)
{
	int status = ctl_try(ctl, client);

	if (status == VMRUN_CLIENT_OK)
		status = vmrun_client_ask(*client, "{\"cmd\":\"status\"}", CTL_ANSWER_MS, NULL);
	/* It may end between the connection and the request. */
	return status == VMRUN_CLIENT_OK || status == VMRUN_CLIENT_NOT_RUNNING
	    ? STATUS_OK
	    : ctl_fail(ctl, *client, status);
}

int ctl_await(const struct ctl *ctl, struct vmrun_client *client, int64_t left_ms)
{
	const char *answer;
	int status;

	if (strcmp(ctl->command, "wait-for") == 0)
		status = vmrun_client_wait_for(client, ctl->argument, ctl->backlog, left_ms);
	else
		status = vmrun_client_wait(client,
		    ctl->gone		     ? "gone"
			: ctl->ready	     ? "ready"
			: ctl->state != NULL ? ctl->state
					     : "running",
		    left_ms);
	if (status != VMRUN_CLIENT_OK)
		return ctl_fail(ctl, client, status);
	answer = vmrun_client_answer(client);
	if (ctl->json)
		(void)puts(answer != NULL ? answer : CTL_OK);
	return STATUS_OK;
}

int ctl_wait(const struct ctl *ctl)
{
	int64_t left_ms = ctl->timeout_ms;
	CLIENT_AUTO struct vmrun_client *client = NULL;
	int status =
	    ctl->gone ? open_until_gone(ctl, &client) : connect_within(ctl, &client, &left_ms);

	return status != STATUS_OK ? status : ctl_await(ctl, client, left_ms);
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

/* Sends a request to a running vmrun, which has the state in memory, else edits the file. */
int ctl_forget(const struct ctl *ctl)
{
	MEM_AUTO char *request = ctl_request_json(ctl->command, "hook", ctl->argument);
	CLIENT_AUTO struct vmrun_client *client = NULL;
	int status = ctl_try(ctl, &client);

	if (status == VMRUN_CLIENT_OK)
		status = ctl_ask(ctl, client, request, CTL_ANSWER_MS, NULL);
	else if (status == VMRUN_CLIENT_NOT_RUNNING || status == VMRUN_CLIENT_TIMED_OUT)
		status = forget_in_file(ctl);
	else
		status = ctl_fail(ctl, client, status);
	if (status == STATUS_OK && !ctl->json)
		(void)printf("%s: dropped the state of %s\n", ctl->vm, ctl->argument);
	return status;
}
