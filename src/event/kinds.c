/* The kinds of events. */
#include "event/kinds.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct vmrun_event, member)
#define TARGET                                   \
	{                                        \
		"target", EVENT_TEXT, AT(target) \
	}
#define CAUSE                                  \
	{                                      \
		"cause", EVENT_TEXT, AT(cause) \
	}
#define STATUS                                          \
	{                                               \
		"status", EVENT_INT_OR_NULL, AT(status) \
	}
#define ACTION                                   \
	{                                        \
		"action", EVENT_TEXT, AT(action) \
	}
#define DELAY                                         \
	{                                             \
		"delay_ms", EVENT_INT64, AT(delay_ms) \
	}
#define BY                               \
	{                                \
		"by", EVENT_TEXT, AT(by) \
	}
#define PROCESS                               \
	{ "pid", EVENT_INT, AT(pid) },        \
	{                                     \
		"argv", EVENT_WORDS, AT(argv) \
	}
#define SAID                                 \
	{                                    \
		"text", EVENT_TEXT, AT(text) \
	}

/* Keys and their order are part of the contract: vmrun(8), schema/event.schema.json. */
static const struct event_kind kinds[] = {
	[VMRUN_POLICY] = { .name = "policy",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .member = { { "ended", EVENT_TEXT, AT(ended) }, CAUSE, STATUS, ACTION, TARGET, DELAY,
		BY, { "hooks", EVENT_TEXT, AT(text) } } },
	[VMRUN_STARTING] = { .name = "starting",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .member = { TARGET } },
	[VMRUN_LOADING] = { .name = "loading",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .member = { TARGET, PROCESS } },
	[VMRUN_SPAWNED] = { .name = "spawned",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .member = { TARGET, PROCESS } },
	[VMRUN_OUTPUT] = { .name = "output",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .floods = true,
	    .member = { BY, SAID } },
	[VMRUN_EXITED] = { .name = "exit",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_ERROR,
	    .member = { TARGET, CAUSE, STATUS, { "signal", EVENT_NONZERO_INT, AT(signal) },
		{ "uptime_ms", EVENT_INT64, AT(uptime_ms) }, { "stderr", EVENT_TEXT, AT(text) } } },
	[VMRUN_CLEANED] = { .name = "cleaned",
	    .level = EVENT_DEBUG,
	    .bad_level = EVENT_DEBUG,
	    .member = { TARGET, { "left", EVENT_TEXT, AT(text) } } },
	[VMRUN_DECIDED] = { .name = "decided",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .member = { { "boot", EVENT_INT64, AT(boot) }, { "ended", EVENT_TEXT, AT(ended) },
		CAUSE, ACTION, TARGET, DELAY, BY } },
	[VMRUN_GIVEN_UP] = { .name = "given_up",
	    .level = EVENT_ERROR,
	    .bad_level = EVENT_ERROR,
	    .member = { TARGET, CAUSE, BY, { "exits", EVENT_LINES, AT(text) } } },
	[VMRUN_RELOADED] = { .name = "reloaded",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_ERROR,
	    .member = { { "problems", EVENT_LINES, AT(text) } } },
	[VMRUN_STOPPING] = { .name = "stopping",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .member = { { "step", EVENT_TEXT, AT(action) },
		{ "wait_ms", EVENT_INT64, AT(delay_ms) } } },
	[VMRUN_HOOK_FAILED] = { .name = "hook_failed",
	    .level = EVENT_ERROR,
	    .bad_level = EVENT_ERROR,
	    .member = { BY, SAID } },
	[VMRUN_LOG] = { .name = "log",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .floods = true,
	    .member = { { "level", EVENT_TEXT, AT(level) }, SAID } },
	[VMRUN_WARNING] = { .name = "warning",
	    .level = EVENT_WARNING,
	    .bad_level = EVENT_WARNING,
	    .member = { SAID } },
	[VMRUN_NOTE] = { .name = "note",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .member = { SAID } },
	[VMRUN_CHECKED] = { .name = "checked",
	    .level = EVENT_DEBUG,
	    .bad_level = EVENT_ERROR,
	    .member = { TARGET, { "problems", EVENT_JSON, AT(text) } } },
	[VMRUN_FIXED] = { .name = "fixed",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .member = { TARGET, SAID } },
	[VMRUN_ENDED] = { .name = "ended",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_ERROR,
	    .member = { { "exit_status", EVENT_INT, AT(exit_status) }, CAUSE } },
	[VMRUN_HOOK_EVENT] = { .name = "hook",
	    .level = EVENT_INFO,
	    .bad_level = EVENT_INFO,
	    .floods = true,
	    .member = { BY, { "data", EVENT_JSON, AT(text) } } },
	[VMRUN_LOST] = { .name = "lost",
	    .level = EVENT_WARNING,
	    .bad_level = EVENT_WARNING,
	    .member = { { "count", EVENT_INT64, AT(lost) } } },
};

_Static_assert(sizeof(kinds) / sizeof(*kinds) == VMRUN_LOST + 1, "a row for each kind of event");

static const char *const level_names[] = {
	[EVENT_ERROR] = "error",
	[EVENT_WARNING] = "warning",
	[EVENT_INFO] = "info",
	[EVENT_DEBUG] = "debug",
};

_Static_assert(sizeof(level_names) / sizeof(*level_names) == EVENT_LEVELS, "a name for each level");

/* Returns whether an event has problems, or a cause that is a failure. */
static bool is_bad(const struct vmrun_event *e)
{
	static const char *const good[] = { "reboot", "poweroff", "halt", "stopped" };

	if (e->cause == NULL)
		return e->problems > 0;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (strcmp(e->cause, good[i]) == 0)
			return false;
	}
	return true;
}

const char *vmrun_event_level(const struct vmrun_event *e)
{
	const struct event_kind *kind = event_kind(e->type);

	/* An event of VMRUN_LOG has the level that its script gave it. */
	for (size_t i = 0; e->level != NULL && i < EVENT_LEVELS; i++) {
		if (strcmp(level_names[i], e->level) == 0)
			return level_names[i];
	}
	return level_names[is_bad(e) ? kind->bad_level : kind->level];
}

const struct event_kind *event_kind(enum vmrun_event_type type)
{
	return &kinds[type];
}
