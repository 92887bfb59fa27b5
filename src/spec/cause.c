/* The list of causes. */
#include "spec/cause.h"

#include <string.h>

static const struct {
	const char *name, *text;
} causes[] = {
	[CAUSE_REBOOT] = { "reboot", "the guest asked for a reboot" },
	[CAUSE_POWEROFF] = { "poweroff", "the guest powered off" },
	[CAUSE_HALT] = { "halt", "the guest halted its processors" },
	[CAUSE_TRIPLE_FAULT] = { "triple_fault", "the guest crashed (triple fault)" },
	[CAUSE_ERROR] = { "error", "the boot ended with an error" },
	[CAUSE_KILLED] = { "killed", "the hypervisor was killed" },
	[CAUSE_START_FAILED] = { "start_failed", "the hypervisor could not start the VM" },
	[CAUSE_LOADER_FAILED] = { "loader_failed", "the loader could not load the guest" },
	[CAUSE_CHECK_FAILED] = { "check_failed", "the boot could not be prepared" },
	[CAUSE_NOT_READY] = { "not_ready", "the guest did not become ready in time" },
	[CAUSE_UNHEALTHY] = { "unhealthy", "the guest failed its probe \"alive\"" },
	[CAUSE_TIMED_OUT] = { "timed_out", "the boot lasted longer than its time limit" },
	[CAUSE_GIVEN_UP] = { "given_up", "given up: it booted too often in a short time" },
	[CAUSE_STOPPED] = { "stopped", "stopped on request" },
};

_Static_assert(sizeof(causes) / sizeof(causes[0]) == CAUSES, "a row for each");

const char *cause_name(enum cause cause)
{
	return causes[cause].name;
}

const char *cause_text(enum cause cause)
{
	return causes[cause].text;
}

bool cause_find(const char *name, enum cause *cause)
{
	for (int i = 0; i < CAUSES; i++) {
		if (strcmp(causes[i].name, name) == 0) {
			*cause = (enum cause)i;
			return true;
		}
	}
	return false;
}

enum cause cause_of_status(int status)
{
	return status >= 0 && status < CAUSE_ERROR ? (enum cause)status : CAUSE_ERROR;
}

int cause_status(enum cause cause)
{
	return cause_has_status(cause) ? (int)cause : -1;
}

bool cause_has_status(enum cause cause)
{
	return cause <= CAUSE_ERROR;
}
