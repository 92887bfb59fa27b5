/* The commands stop, kill and reboot, which take the steps of the stop ladder. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "cli/head.h"
#include "cli/mask.h"
#include "cli/standard.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"

#define TICK_MS 1000	    /* between two looks at the time left */
#define MAX_SILENCE_MS 3000 /* of a vmrun; then ^C ends the wait */
#define CLOSE_MS 2000	    /* between the end of a VM and the exit of its vmrun */

/* Whether ^C was typed; a global because a signal handler gets no context. */
static volatile sig_atomic_t is_hurried;

static void on_interrupt(int number)
{
	(void)number;
	is_hurried = 1;
}

/* Returns the request {"cmd":CMD}, with "wait" on demand.  Caller frees. */
static char *make_request(const char *cmd, bool waits)
{
	struct str request = { 0 };

	json_begin_object(&request, NULL);
	json_add_text(&request, "cmd", cmd);
	if (waits)
		json_add_bool(&request, "wait", true);
	json_end_object(&request);
	return str_take(&request);
}

/* --- a terminal sees the steps --- */

static void clear_line(void)
{
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
}

/* Shows the step that runs, and the time left; the line is not wrapped. */
static void show_step(const struct ctl *ctl, const char *answer)
{
	MEM_AUTO char *step = json_member(answer, "stop_action");
	MEM_AUTO char *digits = json_member(answer, "wait_ms");
	long long ms = digits != NULL ? strtoll(digits, NULL, 10) : 0;
	MEM_AUTO char *text = step == NULL
	    ? mem_copy("stopping")
	    : mem_format("stopping: %s %lld s; ^C: next step", step, (ms + TICK_MS - 1) / TICK_MS);
	MEM_AUTO char *line = head_line("", ctl->vm, text);

	mask_control(line, "", '?');
	(void)fprintf(stderr, "\r\033[K\033[?7l%s\033[?7h", line);
	(void)fflush(stderr);
}

/* Asks for the step that runs; the answer comes with the others. */
static void look(struct vmrun_client *client)
{
	(void)vmrun_client_send(client, "{\"cmd\":\"status\"}", CTL_ANSWER_MS, NULL);
}

/* Takes the next step of the ladder, after ^C. */
static void hurry(struct vmrun_client *client)
{
	is_hurried = 0;
	(void)vmrun_client_send(client, "{\"cmd\":\"stop\"}", CTL_ANSWER_MS, NULL);
	look(client);
}

/* Waits until something can be received, for ^C, or until the next look. */
static void wait_a_tick(struct vmrun_client *client)
{
	struct pollfd p = { .fd = vmrun_client_fd(client), .events = vmrun_client_events(client) };

	if (poll(&p, 1, TICK_MS) == 0)
		look(client);
}

/* Shows the step if the answer is that of a look: those of a hurry have no state. */
static void show_answer(const struct ctl *ctl, const char *answer)
{
	MEM_AUTO char *state = json_member(answer, "state");

	if (state != NULL)
		show_step(ctl, answer);
}

/*
 * Waits for the answer to the stop: shows what vmrun waits for, and takes the next step on ^C.
 * Returns the status of the library, with the answer where there is one.
 */
static int watch(const struct ctl *ctl, struct vmrun_client *client, uint64_t end, char **answer)
{
	int64_t heard_ms = ctl_now_ms();

	for (;;) {
		const struct vmrun_message *message;
		int status = vmrun_client_next(client, 0, &message);

		if (status == VMRUN_CLIENT_OK && message->id == end) {
			*answer = mem_copy(message->json);
			return message->ok ? STATUS_OK
					   : ctl_error(ctl, CTL_REFUSED, "%s", message->error);
		}
		if (status != VMRUN_CLIENT_OK && status != VMRUN_CLIENT_TIMED_OUT)
			return ctl_fail(ctl, client, status);
		if (status == VMRUN_CLIENT_OK) {
			heard_ms = ctl_now_ms();
			show_answer(ctl, message->json);
			continue;
		}
		/* A vmrun that hangs takes no step. */
		if (is_hurried && ctl_now_ms() - heard_ms > MAX_SILENCE_MS)
			return ctl_error(ctl, CTL_NOT_RUNNING, "vmrun does not answer");
		if (is_hurried)
			hurry(client);
		wait_a_tick(client);
	}
}

/* Stops the VM and shows the steps.  Stores the answer, which the caller frees. */
static int stop_and_show(
    const struct ctl *ctl, struct vmrun_client *client, const char *request, char **answer)
{
	struct sigaction action = { .sa_handler = on_interrupt }, before;
	uint64_t end;
	int status;

	(void)sigaction(SIGINT, &action, &before);
	status = vmrun_client_send(client, request, CTL_ANSWER_MS, &end);
	if (status != VMRUN_CLIENT_OK) {
		status = ctl_fail(ctl, client, status);
	} else {
		look(client);
		status = watch(ctl, client, end, answer);
	}
	(void)sigaction(SIGINT, &before, NULL);
	clear_line();
	return status;
}

/* --- stop and kill --- */

/* Prints what ended the VM. */
static void show_end(const struct ctl *ctl, const char *answer)
{
	MEM_AUTO char *text = json_member(answer, "text");

	if (ctl->json) {
		(void)puts(answer);
		return;
	}
	if (text != NULL)
		mask_control(text, "", '?');
	(void)printf(
	    "%s: stopped%s%s\n", ctl->vm, text != NULL ? ": " : "", text != NULL ? text : "");
}

int ctl_stop(const struct ctl *ctl)
{
	MEM_AUTO char *request = make_request(ctl->command, !ctl->no_wait);
	MEM_AUTO char *answer = NULL;
	CLIENT_AUTO struct vmrun_client *client = NULL;
	int status = ctl_connect(ctl, &client);

	if (status != STATUS_OK)
		return status;
	if (!ctl->no_wait && !ctl->json && standard_can_rewrite())
		status = stop_and_show(ctl, client, request, &answer);
	else
		status = ctl_ask(ctl, client, request, ctl->no_wait ? CTL_ANSWER_MS : -1, &answer);
	if (status != STATUS_OK)
		return status;
	/* Only when vmrun has exited is the name of the VM free again. */
	if (!ctl->no_wait)
		(void)vmrun_client_wait(client, "gone", CLOSE_MS);
	if (ctl->no_wait && !ctl->json)
		(void)printf("%s: stopping\n", ctl->vm);
	else
		show_end(ctl, answer);
	return STATUS_OK;
}

/* --- reboot --- */

/* Says what the reboot does now. */
static void show_reboot(const struct ctl *ctl, const char *answer)
{
	MEM_AUTO char *target = show_member(answer, "target");
	MEM_AUTO char *next = show_member(answer, "next_target");
	MEM_AUTO char *step = json_member(answer, "stop_action");
	MEM_AUTO char *limit = show_member(answer, "limit_ms");

	if (step == NULL) {
		(void)printf("%s: booting target %s\n", ctl->vm, next);
		return;
	}
	mask_control(step, "", ' ');
	(void)printf("%s: stopping target %s with %s (at most %g s), then booting target %s\n",
	    ctl->vm, target, step, (double)strtoll(limit, NULL, 10) / 1000, next);
}

int ctl_reboot(const struct ctl *ctl)
{
	MEM_AUTO char *request = ctl_request_json(ctl->command, "target", ctl->argument);
	MEM_AUTO char *answer = NULL;
	CLIENT_AUTO struct vmrun_client *client = NULL;
	int status = ctl_open(ctl, &client);

	if (status != STATUS_OK)
		return status;
	status = ctl_ask(ctl, client, request, CTL_ANSWER_MS, &answer);
	if (status == STATUS_OK && ctl->json)
		(void)puts(answer);
	else if (status == STATUS_OK)
		show_reboot(ctl, answer);
	(void)fflush(stdout);
	if (status == STATUS_OK && ctl->wait)
		status = ctl_await(ctl, client, ctl->timeout_ms);
	if (status == STATUS_OK && ctl->wait && !ctl->json)
		(void)printf("%s: running\n", ctl->vm);
	return status;
}
