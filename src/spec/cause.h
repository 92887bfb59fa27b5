/* Why a boot ended: the one list of causes that policy, hooks, events and messages share. */
#ifndef SPEC_CAUSE_H
#define SPEC_CAUSE_H

#include <stdbool.h>

enum cause {
	CAUSE_REBOOT,
	CAUSE_POWEROFF,
	CAUSE_HALT,
	CAUSE_TRIPLE_FAULT,
	CAUSE_ERROR,
	CAUSE_KILLED,	     /* died of a signal that vmrun did not send */
	CAUSE_START_FAILED,  /* exec failed, or ended at once with a complaint */
	CAUSE_LOADER_FAILED, /* what loads the guest failed, or took too long */
	CAUSE_CHECK_FAILED,  /* the next boot could not be prepared */
	CAUSE_GIVEN_UP,	     /* it booted too often in too short a time */
	CAUSE_STOPPED,	     /* vmrun was asked to stop */
	CAUSES
};

const char *cause_name(enum cause cause);
/* False when there is no such cause. */
bool cause_find(const char *name, enum cause *cause);
/* What it means, for people: "the guest asked for a reboot". */
const char *cause_text(enum cause cause);
/* What a status says, in bhyve's terms. */
enum cause cause_of_status(int status);
/* Do statuses in a reboot_on list speak of this cause: reboot to error. */
bool cause_has_status(enum cause cause);

#endif
