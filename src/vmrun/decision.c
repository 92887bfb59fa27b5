/* Decisions as JSON, member by member. */
#include "decision.h"

#include "base/str.h"

static void add_member(struct str *json, const char *key, const char *value)
{
	str_addf(json, ",\"%s\":", key);
	if (value == NULL)
		str_add(json, "null");
	else
		str_add_json(json, value);
}

char *decision_json(const struct vmrun_event *decided)
{
	struct str json = { 0 };

	str_addf(&json, "{\"boot\":%lld", (long long)decided->boot);
	add_member(&json, "target", decided->ended);
	add_member(&json, "cause", decided->cause);
	add_member(&json, "action", decided->action);
	add_member(&json, "next", decided->target);
	add_member(&json, "by", decided->by);
	str_add(&json, "}");
	return str_take(&json);
}
