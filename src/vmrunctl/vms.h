/* The VMs of the runtime directory, and what their vmruns answer. */
#ifndef VMRUNCTL_VMS_H
#define VMRUNCTL_VMS_H

#include <stddef.h>

#include "vmrunctl/ctl.h"

struct vm {
	char *name;
	/* "silent", "dead" or "denied" for a vmrun that does not answer; NULL: see the answer */
	const char *state;
	char *answer; /* to a status request, or NULL */
	struct connection connection;
};

/*
 * Queries all VMs, sorted by name, for at most CTL_ANSWER_MS per 128 VMs; there are none if the
 * directory does not exist.  Prints an error message if it cannot be read.  In both cases the
 * caller frees the list.
 */
int vms_query(const struct ctl *ctl, struct vm **list, size_t *count);
void vms_free(struct vm *list, size_t count);

#endif
