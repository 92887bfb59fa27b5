/* Decisions of a simulation as JSON. */
#include "decision.h"

#include "base/json_write.h"

char *decision_json(const struct vmrun_event *decided)
{
	struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_int(&json, "boot", decided->boot);
	json_add_text(&json, "target", decided->ended);
	json_add_text(&json, "cause", decided->cause);
	json_add_text(&json, "action", decided->action);
	json_add_text(&json, "next", decided->target);
	json_add_text(&json, "by", decided->by);
	json_end_object(&json);
	return str_take(&json);
}
