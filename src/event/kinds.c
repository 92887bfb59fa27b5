/* The kinds of events. */
#include "event/kinds.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct vmrun_event, member)
#define TARGET                                    \
	{                                         \
		"target", MEMBER_TEXT, AT(target) \
	}
#define CAUSE                                   \
	{                                       \
		"cause", MEMBER_TEXT, AT(cause) \
	}
#define STATUS                                           \
	{                                                \
		"status", MEMBER_INT_OR_NULL, AT(status) \
	}
#define ACTION                                    \
	{                                         \
		"action", MEMBER_TEXT, AT(action) \
	}
#define DELAY                                          \
	{                                              \
		"delay_ms", MEMBER_INT64, AT(delay_ms) \
	}
#define BY                                \
	{                                 \
		"by", MEMBER_TEXT, AT(by) \
	}
#define PROCESS                                \
	{ "pid", MEMBER_INT, AT(pid) },        \
	{                                      \
		"argv", MEMBER_WORDS, AT(argv) \
	}
#define SAID                                  \
	{                                     \
		"text", MEMBER_TEXT, AT(text) \
	}

/* Keys and their order are part of the contract: vmrun(8), schema/event.schema.json. */
static const struct event_kind kinds[] = {
	[VMRUN_POLICY] = { .name = "policy",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .member = { { "ended", MEMBER_TEXT, AT(ended) }, CAUSE, STATUS, ACTION, TARGET, DELAY,
		BY, { "hooks", MEMBER_TEXT, AT(text) } } },
	[VMRUN_STARTING] = { .name = "starting",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .member = { TARGET } },
	[VMRUN_LOADING] = { .name = "loading",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .member = { TARGET, PROCESS } },
	[VMRUN_SPAWNED] = { .name = "spawned",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .member = { TARGET, PROCESS, { "devices", MEMBER_JSON, AT(devices) } } },
	[VMRUN_OUTPUT] = { .name = "output",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .floods = true,
	    .member = { BY, SAID } },
	[VMRUN_EXITED] = { .name = "exit",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_ERROR,
	    .member = { TARGET, CAUSE, STATUS, { "signal", MEMBER_NONZERO_INT, AT(signal) },
		{ "uptime_ms", MEMBER_INT64_OR_NULL, AT(uptime_ms) },
		{ "stderr", MEMBER_TEXT, AT(text) }, { "ended_by", MEMBER_TEXT, AT(ended_by) } } },
	[VMRUN_CLEANED] = { .name = "cleaned",
	    .level = LEVEL_DEBUG,
	    .bad_level = LEVEL_DEBUG,
	    .member = { TARGET, { "left", MEMBER_TEXT, AT(text) } } },
	[VMRUN_DECIDED] = { .name = "decided",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .member = { { "boot", MEMBER_INT64, AT(boot) }, { "ended", MEMBER_TEXT, AT(ended) },
		CAUSE, ACTION, TARGET, DELAY, BY } },
	[VMRUN_GIVEN_UP] = { .name = "given_up",
	    .level = LEVEL_ERROR,
	    .bad_level = LEVEL_ERROR,
	    .member = { TARGET, CAUSE, BY, { "exits", MEMBER_LINES, AT(text) },
		{ "count", MEMBER_INT64, AT(boot) },
		{ "within_ms", MEMBER_INT64, AT(delay_ms) } } },
	[VMRUN_RELOADED] = { .name = "reloaded",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_ERROR,
	    .member = { { "problems", MEMBER_LINES, AT(text) } } },
	[VMRUN_STOPPING] = { .name = "stopping",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_WARNING,
	    .member = { { "step", MEMBER_TEXT, AT(action) },
		{ "wait_ms", MEMBER_INT64, AT(delay_ms) }, CAUSE } },
	[VMRUN_HOOK_FAILED] = { .name = "hook_failed",
	    .level = LEVEL_ERROR,
	    .bad_level = LEVEL_ERROR,
	    .member = { BY, SAID } },
	[VMRUN_LOG] = { .name = "log",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .floods = true,
	    .member = { { "level", MEMBER_TEXT, AT(level) }, SAID } },
	[VMRUN_WARNING] = { .name = "warning",
	    .level = LEVEL_WARNING,
	    .bad_level = LEVEL_WARNING,
	    .member = { SAID } },
	[VMRUN_NOTE] = { .name = "note",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .member = { SAID } },
	[VMRUN_CHECKED] = { .name = "checked",
	    .level = LEVEL_DEBUG,
	    .bad_level = LEVEL_ERROR,
	    .member = { TARGET, { "problems", MEMBER_JSON, AT(text) } } },
	[VMRUN_FIXED] = { .name = "fixed",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .member = { TARGET, SAID } },
	[VMRUN_ENDED] = { .name = "ended",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_ERROR,
	    .member = { { "exit_status", MEMBER_INT, AT(exit_status) }, CAUSE } },
	[VMRUN_HOOK_EVENT] = { .name = "hook",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .floods = true,
	    .member = { BY, { "data", MEMBER_JSON, AT(text) } } },
	[VMRUN_LOST] = { .name = "lost",
	    .level = LEVEL_WARNING,
	    .bad_level = LEVEL_WARNING,
	    .member = { { "count", MEMBER_INT64, AT(lost) } } },
	[VMRUN_READY] = { .name = "ready",
	    .level = LEVEL_INFO,
	    .bad_level = LEVEL_INFO,
	    .member = { TARGET, { "after_ms", MEMBER_INT64, AT(uptime_ms) }, BY } },
	[VMRUN_UNHEALTHY] = { .name = "unhealthy",
	    .level = LEVEL_ERROR,
	    .bad_level = LEVEL_ERROR,
	    .member = { TARGET, { "failures", MEMBER_INT64, AT(failures) }, SAID } },
};

_Static_assert(
    sizeof(kinds) / sizeof(*kinds) == VMRUN_UNHEALTHY + 1, "a row for each kind of event");

static const char *const level_names[] = {
	[LEVEL_ERROR] = "error",
	[LEVEL_WARNING] = "warning",
	[LEVEL_INFO] = "info",
	[LEVEL_DEBUG] = "debug",
};

_Static_assert(sizeof(level_names) / sizeof(*level_names) == LEVEL_LEVELS, "a name for each level");

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
	for (size_t i = 0; e->level != NULL && i < LEVEL_LEVELS; i++) {
		if (strcmp(level_names[i], e->level) == 0)
			return level_names[i];
	}
	return level_names[is_bad(e) ? kind->bad_level : kind->level];
}

const struct event_kind *event_kind(enum vmrun_event_type type)
{
	return &kinds[type];
}
