/* The kinds of events. */
#include "event/kinds.h"

#include <stddef.h>

#define AT(member) offsetof(struct vmrun_event, member)
#define TARGET                                   \
	{                                        \
		"target", EVENT_TEXT, AT(target) \
	}
#define CAUSE                                  \
	{                                      \
		"cause", EVENT_TEXT, AT(cause) \
	}
#define STATUS                                        \
	{                                             \
		"status", EVENT_INT_OR_NO, AT(status) \
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
	    .member = { { "ended", EVENT_TEXT, AT(ended) }, CAUSE, STATUS, ACTION, TARGET, DELAY,
		BY, { "hooks", EVENT_TEXT, AT(text) } } },
	[VMRUN_STARTING] = { .name = "starting", .member = { TARGET } },
	[VMRUN_LOADING] = { .name = "loading", .member = { TARGET, PROCESS } },
	[VMRUN_SPAWNED] = { .name = "spawned", .member = { TARGET, PROCESS } },
	[VMRUN_OUTPUT] = { .name = "output", .floods = true, .member = { BY, SAID } },
	[VMRUN_EXITED] = { .name = "exit",
	    .member = { TARGET, CAUSE, STATUS, { "signal", EVENT_SOME_INT, AT(signal) },
		{ "uptime_ms", EVENT_INT64, AT(uptime_ms) }, { "stderr", EVENT_TEXT, AT(text) } } },
	[VMRUN_CLEANED] = { .name = "cleaned",
	    .member = { TARGET, { "left", EVENT_TEXT, AT(text) } } },
	[VMRUN_DECIDED] = { .name = "decided",
	    .member = { { "boot", EVENT_INT64, AT(boot) }, { "ended", EVENT_TEXT, AT(ended) },
		CAUSE, ACTION, TARGET, DELAY, BY } },
	[VMRUN_GIVEN_UP] = { .name = "given_up",
	    .member = { TARGET, CAUSE, BY, { "exits", EVENT_LINES, AT(text) } } },
	[VMRUN_RELOADED] = { .name = "reloaded",
	    .member = { { "problems", EVENT_LINES, AT(text) } } },
	[VMRUN_STOPPING] = { .name = "stopping",
	    .member = { { "step", EVENT_TEXT, AT(action) },
		{ "wait_ms", EVENT_INT64, AT(delay_ms) } } },
	[VMRUN_HOOK_FAILED] = { .name = "hook_failed", .member = { BY, SAID } },
	[VMRUN_LOG] = { .name = "log",
	    .floods = true,
	    .member = { { "level", EVENT_TEXT, AT(level) }, SAID } },
	[VMRUN_WARNING] = { .name = "warning", .member = { SAID } },
	[VMRUN_NOTE] = { .name = "note", .member = { SAID } },
	[VMRUN_CHECKED] = { .name = "checked",
	    .member = { TARGET, { "problems", EVENT_JSON, AT(text) } } },
	[VMRUN_FIXED] = { .name = "fixed", .member = { TARGET, SAID } },
	[VMRUN_ENDED] = { .name = "ended",
	    .member = { { "exit_status", EVENT_INT, AT(exit_status) }, CAUSE } },
	[VMRUN_HOOK_EVENT] = { .name = "hook",
	    .floods = true,
	    .member = { BY, { "data", EVENT_JSON, AT(text) } } },
	[VMRUN_LOST] = { .name = "lost", .member = { { "count", EVENT_INT64, AT(lost) } } },
};

_Static_assert(sizeof(kinds) / sizeof(*kinds) == VMRUN_LOST + 1, "a row for each kind of event");

const struct event_kind *event_kind(enum vmrun_event_type type)
{
	return &kinds[type];
}
