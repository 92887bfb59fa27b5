/* Waiting for a state or a text, and following events. */
#include "client/client.h"

#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "ledger/vmlock.h"
#include "platform/clock.h"

#define MAX_WAIT_SECONDS 1000000000 /* that vmrun takes; a longer limit is none */
#define HANG_MS 5000 /* added to the limit that vmrun itself keeps, for one that hangs */
#define LOOK_MS 50   /* between two looks at a hypervisor */
#define MAX_LIMIT_MS (1000LL * MAX_WAIT_SECONDS)
#define CLOSE_MS 2000 /* between the end of a VM and the exit of its vmrun */

int vmrun_client_follow(struct vmrun_client *client, int64_t from, int64_t limit_ms)
{
	STR_AUTO struct str request = { 0 };

	json_begin_object(&request, NULL);
	json_add_text(&request, "cmd", "events");
	if (from >= 0)
		json_add_int(&request, "from", from);
	json_end_object(&request);
	return client_ask(client, request.text, false, limit_ms);
}

/* Adds the limit to a request of a wait, and asks. */
static int ask_wait(struct vmrun_client *c, struct str *request, int64_t limit_ms)
{
	MEM_AUTO char *seconds =
	    mem_format("%lld.%03d", (long long)(limit_ms / 1000), (int)(limit_ms % 1000));

	if (limit_ms >= 0 && limit_ms / 1000 < MAX_WAIT_SECONDS)
		json_add_json(request, "timeout", seconds);
	json_end_object(request);
	return client_ask(c, request->text, false,
	    limit_ms < 0 || limit_ms > INT64_MAX - HANG_MS ? -1 : limit_ms + HANG_MS);
}

/*
 * Waits until vmrun closes the connection, because only then the VM's name is free again.  What
 * comes before stays for vmrun_client_next().
 */
static void wait_for_close(struct vmrun_client *c)
{
	int64_t until_ms = clock_ms() + CLOSE_MS;

	while (clock_left_ms(until_ms) > 0 && connection_receive(&c->connection, until_ms) > 0)
		;
}

static int not_gone(struct vmrun_client *c, int64_t limit_ms, const char *what, pid_t pid)
{
	return client_fail(c, VMRUN_CLIENT_REFUSED, "not gone within %g s: %s runs as pid %ld",
	    (double)limit_ms / 1000, what, (long)pid);
}

/*
 * Waits until a vmrun has ended whose socket was deleted, so that it cannot be asked.  One that
 * starts later is not waited for.
 */
static int wait_for_vmrun(struct vmrun_client *c, int64_t limit_ms, int64_t until_ms)
{
	pid_t pid = client_supervisor(c->directory);

	if (pid < 0)
		return client_fail(c, VMRUN_CLIENT_DENIED,
		    "%s/lock: permission denied: connect as root, or as the user who runs the VM",
		    c->directory);
	while (pid != 0 && client_supervisor(c->directory) == pid) {
		if (limit_ms >= 0 && clock_left_ms(until_ms) <= 0)
			return not_gone(
			    c, limit_ms, "its control socket does not work, but vmrun", pid);
		clock_sleep(LOOK_MS);
	}
	return client_succeed(c);
}

/*
 * Waits until the hypervisor has ended, too: one whose vmrun was killed shuts its guest down for a
 * while.  No process tells of that end, so it is looked for.
 */
static int wait_for_hypervisor(struct vmrun_client *c, int64_t limit_ms, int64_t until_ms)
{
	pid_t pid;

	while ((pid = vmlock_survivor(c->directory)) != 0 && client_supervisor(c->directory) <= 0) {
		if (limit_ms >= 0 && clock_left_ms(until_ms) <= 0)
			return not_gone(c, limit_ms, "its vmrun is, but the hypervisor still", pid);
		clock_sleep(LOOK_MS);
	}
	return client_succeed(c);
}

int vmrun_client_wait(struct vmrun_client *client, const char *what, int64_t limit_ms)
{
	STR_AUTO struct str request = { 0 };
	bool is_gone = what != NULL && strcmp(what, "gone") == 0;
	int64_t until_ms = clock_ms() + (limit_ms < MAX_LIMIT_MS ? limit_ms : MAX_LIMIT_MS);
	int status;

	if (what == NULL)
		return client_fail_null(client, "what");
	/* No vmrun could be connected when the client was opened. */
	if (is_gone && client->is_absent) {
		status = wait_for_vmrun(client, limit_ms, until_ms);
		return status != VMRUN_CLIENT_OK ? status
						 : wait_for_hypervisor(client, limit_ms, until_ms);
	}
	json_begin_object(&request, NULL);
	json_add_text(&request, "cmd", "wait");
	if (is_gone || strcmp(what, "ready") == 0)
		json_add_bool(&request, what, true);
	else
		json_add_text(&request, "state", what);
	status = ask_wait(client, &request, limit_ms);
	/* A vmrun that exits before it reads the request has ended, too. */
	if (!is_gone || (status != VMRUN_CLIENT_OK && status != VMRUN_CLIENT_NOT_RUNNING))
		return status;
	if (status == VMRUN_CLIENT_OK)
		wait_for_close(client);
	return wait_for_hypervisor(client, limit_ms, until_ms);
}

int vmrun_client_wait_for(
    struct vmrun_client *client, const char *text, bool backlog, int64_t limit_ms)
{
	STR_AUTO struct str request = { 0 };

	if (text == NULL)
		return client_fail_null(client, "text");
	json_begin_object(&request, NULL);
	json_add_text(&request, "cmd", "wait-for");
	json_add_text(&request, "text", text);
	if (backlog)
		json_add_bool(&request, "backlog", true);
	return ask_wait(client, &request, limit_ms);
}
