/* The checks of one boot: all requirements on the host, device by device.  Changes nothing. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "check/facts.h"
#include "check/findings.h"
#include "hyper/hyper.h"

struct check_request {
	const struct spec *spec;
	const struct plan *plan;
	bool again; /* the VM has booted before: vmrun is cleaning up what it left */
	/* Companions are ready: checks only what they make.  Else all but that. */
	bool left_over;
	struct findings *missing; /* of check_find(), which join the other findings; or NULL */
	/* Interfaces, sockets and the like that this vmrun made or holds, which may exist. */
	const struct words *ours;
	struct facts *facts;
};

/*
 * Adds all findings to *out, which must be empty, and returns true.  Returns false and leaves *out
 * empty while facts are missing.
 */
bool check_boot(const struct check_request *request, struct findings *out);
/*
 * How a run keeps the names that it finds to itself: take() returns false for a name that another
 * run has.  No functions: nothing is kept, as for a check that starts nothing.
 */
struct check_names {
	bool (*take)(void *context, const char *name);
	void (*drop)(void *context, const char *name);
	void *context;
};
/*
 * Finds what the spec leaves open: `found` of devices and spec->com_found.  Returns true if all are
 * found or *out has the reason; false while facts are missing.  `before` has the values of earlier
 * boots (id = value), which are used again if they still fit; adds new values to it.
 */
bool check_find(struct spec *spec, const struct hypervisor *hyper, struct pairs *before,
    const struct check_names *names, struct facts *facts, struct findings *out);
/* Returns whether the spec leaves a port to vmrun, and one was found. */
bool check_has_open_port(const struct spec *spec);
/*
 * Drops the ports that were found and at which other programs listen now.  Returns their number.
 */
size_t check_forget_ports(struct spec *spec, struct pairs *before, const struct check_names *names);

#endif
