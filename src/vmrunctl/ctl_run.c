/* The command run: a Lua script as a hook of a VM that runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "vmrunctl/ctl.h"

#define MAX_SCRIPT 65536 /* bytes of a request line that vmrun accepts */
#define ID_BYTES 32	 /* more than the library adds to number the request */
#define TOO_LONG                                                                                  \
	"script too long: expected at most " STR_LITERAL(                                         \
	    MAX_SCRIPT) " bytes with its JSON escapes; vmrun.include() runs longer files of the " \
			"host"

/* Reads a file, or stdin for "-"; NULL with errno: it cannot be read. */
static char *read_script(const char *file, size_t *length)
{
	FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
	struct str text = { 0 };
	char bytes[4096];
	size_t n;
	int why;

	if (f == NULL)
		return NULL;
	while (text.length <= MAX_SCRIPT && (n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		str_add_n(&text, bytes, n);
	why = ferror(f) != 0 ? errno : 0;
	if (f != stdin)
		(void)fclose(f);
	*length = text.length;
	errno = why;
	if (why != 0)
		str_free(&text);
	else if (text.length == 0)
		str_add(&text, "");
	return why != 0 ? NULL : str_take(&text);
}

/* Returns why a script cannot be sent as JSON, or NULL. */
static const char *find_fault(const char *script, size_t length)
{
	STR_AUTO struct str text = { 0 };

	if (length > MAX_SCRIPT)
		return TOO_LONG;
	if (strlen(script) != length)
		return "invalid script: expected Lua source, found a NUL byte";
	str_add_utf8(&text, script);
	if (text.length != length || (length > 0 && strcmp(text.text, script) != 0))
		return "invalid script: expected UTF-8; write other bytes as \"\\xE4\"";
	return NULL;
}

static char *request_of(const struct ctl *ctl, const char *script)
{
	struct str request = { 0 };

	json_begin_object(&request, NULL);
	json_add_text(&request, "cmd", "run");
	json_add_text(&request, "text", script);
	json_add_text(&request, "name", strcmp(ctl->argument, "-") == 0 ? "stdin" : ctl->argument);
	if (ctl->backlog)
		json_add_bool(&request, "backlog", true);
	json_end_object(&request);
	return str_take(&request);
}

/* Prints what the script has returned: a string as it is, anything else as JSON. */
static void print_result(const struct ctl *ctl, const char *answer)
{
	MEM_AUTO char *result = NULL;

	if (ctl->json) {
		(void)puts(answer);
		return;
	}
	result = json_member(answer, "result");
	if (result != NULL)
		(void)puts(result);
}

/* Sends the script and prints its result. */
static int run(const struct ctl *ctl, const char *script)
{
	CLIENT_AUTO struct vmrun_client *client = NULL;
	MEM_AUTO char *request = request_of(ctl, script);
	MEM_AUTO char *answer = NULL;
	int status;

	if (strlen(request) > MAX_SCRIPT - ID_BYTES)
		return ctl_error(ctl, STATUS_NO_INPUT, "%s: %s", ctl->argument, TOO_LONG);
	status = ctl_connect(ctl, &client);
	if (status == STATUS_OK)
		status = ctl_ask(ctl, client, request, -1, &answer);
	if (status == STATUS_OK)
		print_result(ctl, answer);
	return status;
}

int ctl_run(const struct ctl *ctl)
{
	size_t length;
	MEM_AUTO char *script = read_script(ctl->argument, &length);
	const char *fault;

	if (script == NULL)
		return ctl_error(ctl, STATUS_NO_INPUT, "%s: %s", ctl->argument, strerror(errno));
	fault = find_fault(script, length);
	if (fault != NULL)
		return ctl_error(ctl, STATUS_NO_INPUT, "%s: %s", ctl->argument, fault);
	return run(ctl, script);
}
