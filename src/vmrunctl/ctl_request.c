/* A request to a running vmrun, and its answer. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "cli/mask.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"

#define MAX_TEXT 8192 /* bytes of an error message, with its NUL */

int ctl_error(const struct ctl *ctl, int status, const char *fmt, ...)
{
	char text[MAX_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (ctl->json) {
		show_error_json(text);
		return status;
	}
	mask_control(text, "\n\t", '?'); /* a refusal may quote a spec */
	(void)fprintf(stderr, "vmrunctl: %s%s%s\n", ctl->vm != NULL ? ctl->vm : "",
	    ctl->vm != NULL ? ": " : "", text);
	return status;
}

char *ctl_request_json(const char *cmd, const char *key, const char *text)
{
	struct str request = { 0 };

	json_begin_object(&request, NULL);
	json_add_text(&request, "cmd", cmd);
	if (text != NULL)
		json_add_text(&request, key, text);
	json_end_object(&request);
	return str_take(&request);
}

bool ctl_is_gone(int why)
{
	return why == ENOENT || why == ENOTDIR || why == ECONNREFUSED;
}

static bool is_denied(int why)
{
	return why == EACCES || why == EPERM;
}

/* Returns the status for a connection that was not made. */
static int status_of(int why)
{
	if (is_denied(why))
		return STATUS_DENIED;
	return ctl_is_gone(why) || why == ETIMEDOUT ? CTL_NOT_RUNNING : STATUS_OS;
}

/* Prints why no connection was made. */
static int say_not_running(const struct ctl *ctl, const char *path, int why)
{
	if (is_denied(why))
		return ctl_error(ctl, status_of(why),
		    "%s: %s: run vmrunctl as root, or as the user who runs the VM", path,
		    strerror(why));
	if (why == ECONNREFUSED)
		return ctl_error(ctl, status_of(why), "not running: nobody answers at %s", path);
	if (ctl_is_gone(why))
		return ctl_error(ctl, status_of(why), "not running (no %s)", path);
	return ctl_error(ctl, status_of(why), "cannot reach %s: %s", path, strerror(why));
}

int ctl_open(const struct ctl *ctl, struct connection *connection, bool say)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s/control", ctl->run_dir, ctl->vm);
	if (connection_open(connection, path, connection_deadline_ms(CTL_ANSWER_MS)) == 0)
		return STATUS_OK;
	if (say)
		return say_not_running(ctl, path, errno);
	return status_of(errno);
}

/* Returns the answer to a request, or NULL after an error message. */
static char *get_answer(
    const struct ctl *ctl, struct connection *connection, const char *request, int64_t limit_ms)
{
	char *answer = NULL;

	/* After EPIPE there may be an answer, too: vmrun refuses a connection too many with one. */
	if (connection_send_line(connection, request, connection_deadline_ms(CTL_ANSWER_MS)) == 0 ||
	    errno == EPIPE)
		answer = connection_read_line(connection, connection_deadline_ms(limit_ms));
	/* "wait --gone" succeeds, too, if vmrun exits before it reads the request. */
	if (answer == NULL && ctl->gone && errno != ETIMEDOUT)
		answer = mem_copy(CTL_OK);
	if (answer == NULL)
		(void)ctl_error(ctl, CTL_NOT_RUNNING,
		    errno == ETIMEDOUT ? "its vmrun does not answer"
				       : "its vmrun went away without an answer");
	return answer;
}

static bool is_ok(const char *answer)
{
	char *ok = json_member(answer, "ok");
	bool yes = ok != NULL && strcmp(ok, "true") == 0;

	free(ok);
	return yes;
}

static int say_refusal(const struct ctl *ctl, const char *answer)
{
	char *why = json_member(answer, "error");
	int status =
	    ctl_error(ctl, CTL_REFUSED, "%s", why != NULL ? why : "an answer that is none");

	free(why);
	return status;
}

int ctl_judge(const struct ctl *ctl, const char *answer)
{
	if (answer == NULL)
		return ctl_error(ctl, CTL_NOT_RUNNING, "its vmrun does not answer");
	return is_ok(answer) ? STATUS_OK : say_refusal(ctl, answer);
}

int ctl_send(const struct ctl *ctl, struct connection *connection, const char *request,
    int64_t limit_ms, char **answer)
{
	char *line = get_answer(ctl, connection, request, limit_ms);
	int status = STATUS_OK;

	if (answer != NULL)
		*answer = NULL;
	if (line == NULL)
		return CTL_NOT_RUNNING;
	if (!is_ok(line))
		status = say_refusal(ctl, line);
	else if (answer != NULL)
		*answer = line;
	else if (ctl->json)
		(void)puts(line);
	if (answer == NULL || *answer == NULL)
		free(line);
	return status;
}

int ctl_ping(const struct ctl *ctl, struct connection *connection)
{
	MEM_AUTO char *request = ctl_request_json("status", NULL, NULL);
	char *answer;
	int status = ctl_send(ctl, connection, request, CTL_ANSWER_MS, &answer);

	free(answer);
	if (status != STATUS_OK)
		connection_close(connection);
	return status;
}

int ctl_connect(const struct ctl *ctl, struct connection *connection)
{
	int status = ctl_open(ctl, connection, true);

	return status == STATUS_OK ? ctl_ping(ctl, connection) : status;
}
