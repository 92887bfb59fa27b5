/* A request to a running vmrun, and its answer. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

int64_t ctl_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Returns the exit status for what a function of the library returned. */
static int exit_status(int status)
{
	if (status == VMRUN_CLIENT_TIMED_OUT)
		return CTL_NOT_RUNNING;
	return status == VMRUN_CLIENT_PROTOCOL ? CTL_REFUSED : status;
}

int ctl_fail(const struct ctl *ctl, const struct vmrun_client *client, int status)
{
	return ctl_error(ctl, exit_status(status), "%s", vmrun_client_error(client));
}

int ctl_try(const struct ctl *ctl, struct vmrun_client **client)
{
	return vmrun_client_open(client, ctl->run_dir, ctl->vm, CTL_ANSWER_MS);
}

int ctl_open(const struct ctl *ctl, struct vmrun_client **client)
{
	int status = ctl_try(ctl, client);

	return status == VMRUN_CLIENT_OK ? STATUS_OK : ctl_fail(ctl, *client, status);
}

int ctl_ask(const struct ctl *ctl, struct vmrun_client *client, const char *request,
    int64_t limit_ms, char **answer)
{
	const char *json = NULL;
	int status = vmrun_client_ask(client, request, limit_ms, &json);

	if (answer != NULL)
		*answer = NULL;
	if (status != VMRUN_CLIENT_OK)
		return ctl_fail(ctl, client, status);
	if (answer != NULL)
		*answer = mem_copy(json);
	else if (ctl->json)
		(void)puts(json);
	return STATUS_OK;
}

int ctl_ping(const struct ctl *ctl, struct vmrun_client *client)
{
	MEM_AUTO char *request = ctl_request_json("status", NULL, NULL);
	MEM_AUTO char *answer = NULL;

	return ctl_ask(ctl, client, request, CTL_ANSWER_MS, &answer);
}

int ctl_connect(const struct ctl *ctl, struct vmrun_client **client)
{
	int status = ctl_open(ctl, client);

	return status == STATUS_OK ? ctl_ping(ctl, *client) : status;
}

void ctl_close(struct vmrun_client **client)
{
	vmrun_client_close(*client);
	*client = NULL;
}
