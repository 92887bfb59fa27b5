/*
 * Causes that reboot_on cannot list, because something else decides after them: for the key, and
 * for the option of that name.
 */
#ifndef BASE_UNLISTED_H
#define BASE_UNLISTED_H

#include <stddef.h>
#include <string.h>

/* Why a cause has no action: also the key `on` says so. */
#define STOP_IS_FINAL "a stop request always stops; use the hook on_end"

/* Returns why a list cannot have the cause, or NULL if it can. */
static inline const char *unlisted_reason(const char *cause)
{
	if (strcmp(cause, "stopped") == 0)
		return STOP_IS_FINAL;
	if (strcmp(cause, "given_up") == 0)
		return "only the key on.given_up boots after too many boots";
	return NULL;
}

#endif
