/* Decisions of a simulation as lines and as JSON. */
#include "decision.h"

#include <inttypes.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"

/* Adds the delay in seconds with at most 3 decimals, or "-" when nothing boots. */
static void add_delay(const struct vmrun_event *decided, struct str *line)
{
	if (strcmp(decided->action, "boot") == 0)
		json_add_decimal(line, NULL, (double)decided->delay_ms / 1000);
	else
		str_add(line, "-");
}

char *decision_line(const struct vmrun_event *decided)
{
	STR_AUTO struct str delay = { 0 };

	add_delay(decided, &delay);
	return mem_format("%" PRId64 "\t%s\t%s\t%s\t%s\t%s\t%s", decided->boot, decided->ended,
	    decided->cause, decided->action, decided->target != NULL ? decided->target : "-",
	    decided->by, delay.text);
}

char *decision_json(const struct vmrun_event *decided, const char *reason)
{
	struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_int(&json, "boot", decided->boot);
	json_add_text(&json, "target", decided->ended);
	json_add_text(&json, "cause", decided->cause);
	json_add_text(&json, "action", decided->action);
	json_add_text(&json, "next", decided->target);
	json_add_text(&json, "by", decided->by);
	if (strcmp(decided->action, "boot") == 0)
		json_add_int(&json, "delay_ms", decided->delay_ms);
	else
		json_add_null(&json, "delay_ms");
	json_add_text(&json, "reason", reason);
	json_end_object(&json);
	return str_take(&json);
}
