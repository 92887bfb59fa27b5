/* The history of a VM, as vmrun keeps it in the state directory. */
#ifndef VMRUNCTL_PAST_H
#define VMRUNCTL_PAST_H

#include <stdbool.h>
#include <stddef.h>

#include "vmrunctl/ctl.h"

struct past {
	char *text;
	char **line; /* JSON, the newest last; lent by the text */
	size_t count;
};

/* Reads the history, perhaps an empty one.  Prints an error message if that fails. */
int past_read(const struct ctl *ctl, struct past *past);
void past_free(struct past *past);
/* Lends the newest line of this kind, "boot" or "vmrun", or NULL. */
const char *past_last(const struct past *past, const char *kind);
/* Returns whether a line is of this kind. */
bool past_is(const char *line, const char *kind);
/* Returns one line of text for a line, without its time.  Caller frees. */
char *past_sentence(const char *line);
/*
 * Returns a member of a line without carriage returns and other control characters, but with its
 * line ends; NULL if it is null.  Caller frees.
 */
char *past_text(const char *line, const char *key);

/* Prints the last end of a VM that does not run, for "status"; returns false if there is none. */
bool history_show_end(const struct ctl *ctl);
/*
 * Returns what to try after such an end of a boot and what followed it (`action`; NULL: vmrun
 * ended), or after the death of a vmrun (cause NULL): one or more lines, with commands for
 * this VM.  Caller frees.
 */
char *why_advice(const char *vm, const char *cause, const char *ended_by, const char *action);

#endif
