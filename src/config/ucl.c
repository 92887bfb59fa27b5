/* Running uclcmd. */
#include "config/ucl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/read.h"
#include "process/command.h"

#define MAX_UCL_REMARK 300 /* bytes of uclcmd's remarks on stderr */

/* Explains why uclcmd failed.  If it is missing, the spec is unreadable, not wrong. */
static int explain_failure(const struct error *why, struct error *err)
{
	if (why->status != STATUS_EXEC_MISSING && why->status != STATUS_CANNOT_EXEC)
		return error_set(err, why->status, "%s", why->text);
	return error_set(err, STATUS_NO_INPUT,
	    "UCL is read by uclcmd, which cannot be run (%s): install the port textproc/uclcmd "
	    "(pkg install uclcmd), or give the spec in JSON or Lua",
	    why->text);
}

/* Returns the output on stderr as one line, or NULL if there is none. */
static char *remarks_of(const struct command_result *result)
{
	struct str s = { 0 };

	str_add_line(&s, result->err, MAX_UCL_REMARK);
	return s.length == 0 ? NULL : str_take(&s);
}

static int judge(const struct command *what, const struct command_result *result, struct error *err)
{
	enum status status = result->fate == COMMAND_ENDED ? STATUS_SPEC : STATUS_NO_INPUT;
	MEM_AUTO char *trouble = command_trouble(what, result);
	MEM_AUTO char *remarks = remarks_of(result);

	if (trouble != NULL)
		return error_set(err, status, "%s", trouble);
	if (strspn(result->out, " \t\r\n") < result->out_length)
		return 0;
	return error_set(err, STATUS_SPEC, "uclcmd printed nothing%s%s",
	    remarks != NULL ? ": " : "", remarks != NULL ? remarks : "");
}

int ucl_read(const char *file, int64_t limit_ms, struct ucl *out, struct error *err)
{
	MEM_AUTO char *path = mem_copy(file);
	/*
	 * -c: compact JSON.  The dot means the whole document; without it, uclcmd prints its usage
	 * (get_main() in uclcmd_get.c, from 2015 to 0.2.20211204, its last release).
	 */
	char *argv[] = { "uclcmd", "get", "-c", "-f", path, ".", NULL };
	struct command what = { .argv = argv, .limit_ms = limit_ms, .max_output = MAX_SPEC_TEXT };
	COMMAND_RESULT_AUTO struct command_result result = { 0 };
	ERROR_AUTO struct error why = { 0 };

	memset(out, 0, sizeof(*out));
	if (command_run(&what, &result, &why) != 0)
		return explain_failure(&why, err);
	if (judge(&what, &result, err) != 0)
		return -1;
	out->remarks = remarks_of(&result);
	out->json = result.out;
	out->length = result.out_length;
	result.out = NULL;
	return 0;
}

void ucl_free(struct ucl *ucl)
{
	free(ucl->json);
	free(ucl->remarks);
	memset(ucl, 0, sizeof(*ucl));
}
