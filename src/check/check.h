/*
 * The checks of one boot: everything that must be true of the host, asked at once, device by
 * device.  Nothing is changed and nothing is started here.
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "check/facts.h"
#include "check/findings.h"
#include "hyper/hyper.h"

struct check_request {
	const struct spec *spec;
	const struct plan *plan;
	bool again; /* the VM has booted before: what it left is ours and being cleaned up */
	/* Interfaces, sockets and the like that this vmrun made or holds: no problem that they are
	 * there. */
	const struct words *ours;
	struct facts *facts;
};

/*
 * True with all findings in *out (empty before); false while facts are wanted: *out is empty then.
 */
bool check_boot(const struct check_request *request, struct findings *out);
/*
 * Fills in what only a run can know: the devices' `found` and spec->com_found.  True when nothing
 * is open any more or a problem in *out says why it cannot be found; false while facts are wanted.
 * What a device found at an earlier boot is in `before` (id = value) and is kept if it still fits;
 * new answers are added there.
 */
bool check_find(struct spec *spec, const struct hypervisor *hyper, struct pairs *before,
    struct facts *facts, struct findings *out);

#endif
