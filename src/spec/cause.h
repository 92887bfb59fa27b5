/* Why a boot ended: the one list of causes that policy, hooks, events and messages share. */
#ifndef SPEC_CAUSE_H
#define SPEC_CAUSE_H

#include <stdbool.h>

/* The first five equal the exit statuses of bhyve(8). */
enum cause {
	CAUSE_REBOOT,
	CAUSE_POWEROFF,
	CAUSE_HALT,
	CAUSE_TRIPLE_FAULT,
	CAUSE_ERROR,
	CAUSE_KILLED,	     /* died of a signal that vmrun did not send */
	CAUSE_START_FAILED,  /* exec failed, or the hypervisor exited with a fault of its start */
	CAUSE_LOADER_FAILED, /* the loader failed, or took too long */
	CAUSE_CHECK_FAILED,  /* the next boot could not be prepared */
	CAUSE_NOT_READY,     /* the guest was not ready within the time of `ready` */
	CAUSE_UNHEALTHY,     /* the guest failed `alive` too often in a row */
	CAUSE_TIMED_OUT,     /* the boot lasted longer than `time_limit` */
	CAUSE_GIVEN_UP,	     /* too many boots within the window of restart_limit */
	CAUSE_STOPPED,	     /* vmrun was asked to stop */
	CAUSES
};

const char *cause_name(enum cause cause);
/* Finds a cause by its name.  Returns false if the name is unknown. */
bool cause_find(const char *name, enum cause *cause);
/* Returns the meaning for users: "the guest asked for a reboot". */
const char *cause_text(enum cause cause);
/* Returns the cause that an exit status of bhyve stands for. */
enum cause cause_of_status(int status);
/* Returns the exit status of bhyve for a cause from reboot to error, which is 4, otherwise -1. */
int cause_status(enum cause cause);
/* Returns whether an exit status in reboot_on can match this cause: reboot to error. */
bool cause_has_status(enum cause cause);

#endif
