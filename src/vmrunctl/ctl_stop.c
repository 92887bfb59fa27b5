/* The commands stop, kill and reboot, which take the steps of the stop ladder. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "cli/head.h"
#include "cli/mask.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"

#define TICK_MS 1000	    /* between two looks at the time left */
#define MAX_SILENCE_MS 3000 /* of a vmrun; then ^C ends the wait */

/* The ids of the requests that are under way at the same time. */
#define ID_END "\"end\""
#define ID_LOOK "\"look\""
#define ID_HURRY "\"hurry\""

/* Whether ^C was typed; a global because a signal handler gets no context. */
static volatile sig_atomic_t is_hurried;

static void on_interrupt(int number)
{
	(void)number;
	is_hurried = 1;
}

/* Returns the request {"id":ID,"cmd":CMD}, with "wait" on demand.  Caller frees. */
static char *make_request(const char *id, const char *cmd, bool waits)
{
	struct str request = { 0 };

	json_begin_object(&request, NULL);
	if (id != NULL)
		json_add_json(&request, "id", id);
	json_add_text(&request, "cmd", cmd);
	if (waits)
		json_add_bool(&request, "wait", true);
	json_end_object(&request);
	return str_take(&request);
}

/* --- a terminal sees the steps --- */

static bool has_terminal(const struct ctl *ctl)
{
	const char *term = getenv("TERM");

	return !ctl->json && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0 &&
	    isatty(STDERR_FILENO) != 0 && tcgetpgrp(STDERR_FILENO) == getpgrp();
}

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

static int send_line(struct connection *connection, const char *id, const char *cmd, bool waits)
{
	MEM_AUTO char *request = make_request(id, cmd, waits);

	return connection_send_line(connection, request, connection_deadline_ms(CTL_ANSWER_MS));
}

/*
 * Waits for the answer to the stop: shows what is waited for, and takes the next step on ^C.
 * Returns the answer, or NULL when the connection has ended.
 */
static char *watch(const struct ctl *ctl, struct connection *connection)
{
	int64_t heard_ms = connection_now_ms();

	for (;;) {
		MEM_AUTO char *line = NULL;
		MEM_AUTO char *id = NULL;

		/* A vmrun that hangs takes no step. */
		if (is_hurried && connection_now_ms() - heard_ms > MAX_SILENCE_MS)
			return NULL;
		if (is_hurried) {
			is_hurried = 0;
			(void)send_line(connection, ID_HURRY, "stop", false);
			(void)send_line(connection, ID_LOOK, "status", false);
		}
		line = connection_read_line(connection, connection_deadline_ms(TICK_MS));
		if (line == NULL && errno == ETIMEDOUT) {
			(void)send_line(connection, ID_LOOK, "status", false);
		} else if (line == NULL && errno != EINTR) {
			return NULL;
		}
		if (line != NULL)
			heard_ms = connection_now_ms();
		if (line != NULL && (id = json_member(line, "id")) != NULL) {
			if (strcmp(id, "end") == 0)
				return mem_copy(line);
			if (strcmp(id, "look") == 0)
				show_step(ctl, line);
		}
	}
}

/* Stops the VM and shows the steps.  Stores the answer, which the caller frees. */
static int stop_and_show(const struct ctl *ctl, struct connection *connection, char **answer)
{
	struct sigaction action = { .sa_handler = on_interrupt }, before;

	connection->is_interrupted = &is_hurried;
	(void)sigaction(SIGINT, &action, &before);
	if (send_line(connection, ID_END, ctl->command, true) == 0 &&
	    send_line(connection, ID_LOOK, "status", false) == 0)
		*answer = watch(ctl, connection);
	(void)sigaction(SIGINT, &before, NULL);
	connection->is_interrupted = NULL;
	clear_line();
	return ctl_judge(ctl, *answer);
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
	(void)printf("%s: gone%s%s\n", ctl->vm, text != NULL ? ": " : "", text != NULL ? text : "");
}

int ctl_stop(const struct ctl *ctl)
{
	MEM_AUTO char *request = make_request(NULL, ctl->command, !ctl->no_wait);
	MEM_AUTO char *answer = NULL;
	struct connection connection;
	int status = ctl_connect(ctl, &connection);

	if (status != STATUS_OK)
		return status;
	if (!ctl->no_wait && has_terminal(ctl))
		status = stop_and_show(ctl, &connection, &answer);
	else
		status =
		    ctl_send(ctl, &connection, request, ctl->no_wait ? CTL_ANSWER_MS : -1, &answer);
	if (status == STATUS_OK && !ctl->no_wait)
		ctl_wait_for_close(&connection);
	connection_close(&connection);
	if (status != STATUS_OK)
		return status;
	if (ctl->no_wait && !ctl->json)
		(void)printf("%s: is being stopped\n", ctl->vm);
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
		(void)printf("%s: booting %s\n", ctl->vm, next);
		return;
	}
	mask_control(step, "", ' ');
	(void)printf("%s: stopping target %s by %s (at most %g s), then booting %s\n", ctl->vm,
	    target, step, (double)strtoll(limit, NULL, 10) / 1000, next);
}

/* Waits until the next boot runs. */
static int wait_for_boot(const struct ctl *ctl, struct connection *connection)
{
	MEM_AUTO char *request = ctl_wait_request(ctl, ctl->timeout_ms);
	int64_t limit_ms = ctl->timeout_ms < 0 ? -1 : ctl->timeout_ms + CTL_ANSWER_MS;
	MEM_AUTO char *answer = NULL;
	int status = ctl_send(ctl, connection, request, limit_ms, &answer);

	if (status == STATUS_OK && !ctl->json)
		(void)printf("%s: runs\n", ctl->vm);
	return status;
}

int ctl_reboot(const struct ctl *ctl)
{
	MEM_AUTO char *request = ctl_request_json(ctl->command, "target", ctl->argument);
	MEM_AUTO char *answer = NULL;
	struct connection connection;
	int status = ctl_open(ctl, &connection, true);

	if (status != STATUS_OK)
		return status;
	status = ctl_send(ctl, &connection, request, CTL_ANSWER_MS, &answer);
	if (status == STATUS_OK && ctl->json)
		(void)puts(answer);
	else if (status == STATUS_OK)
		show_reboot(ctl, answer);
	(void)fflush(stdout);
	if (status == STATUS_OK && ctl->wait)
		status = wait_for_boot(ctl, &connection);
	connection_close(&connection);
	return status;
}
