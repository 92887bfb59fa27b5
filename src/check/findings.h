/* Findings of the checks of one boot, device by device, with their fixes. */
#ifndef CHECK_FINDINGS_H
#define CHECK_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"
#include "device/device.h"

enum finding_kind {
	FINDING_PROBLEM,   /* the VM cannot start */
	FINDING_WARNING,   /* the VM starts, but something beside it does not */
	FINDING_UNCHECKED, /* could not be checked: reported, but the VM starts */
	FINDING_MADE,	   /* a companion makes it: reported, and checked once it is ready */
};

#define FINDING_MADE_BY "made by companion " /* how the text of FINDING_MADE begins */

struct finding {
	enum finding_kind kind;
	const struct device *dev; /* lent by the spec; NULL: the VM itself */
	struct node *keys;	  /* place of the value in the merged spec, from where_keys() */
	char *what;		  /* the subject: "tap3", "/vm/disk.img" */
	char *text;		  /* the problem: "no such interface" */
	struct words fix;	  /* the command that fixes it; empty: none */
	struct words undo;	  /* the command that undoes the fix at the end; empty: none */
	struct words probe;	  /* the command that shows whether the fix still holds */
	const char *sign;	  /* text in the output if the fix holds; NULL: `what` */
	bool forced;		  /* the fix destroys something: only --force runs it */
	/* 126 or 127 if the start of the hypervisor or loader would end with it; else 0 */
	int exec_status;
	bool of_loader; /* with exec_status: the loader's program, not the hypervisor's */
	bool advice;	/* the fix is for the user: vmrun shows it and never runs it */
	bool busy;	/* another process uses it: the VM that --force destroys may be that */
};

struct findings {
	struct finding *item;
	size_t count;
};

/* Adds a finding and lends it until the next one is added.  Copies the texts. */
struct finding *findings_add(struct findings *findings, enum finding_kind kind,
    const struct device *dev, const struct where *at, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/*
 * Moves all findings of `from` to `to`, grouped: the VM itself first, then the devices in their
 * order.
 */
void findings_move(struct findings *to, struct findings *from);
/*
 * Returns whether the fix may be run.  `all` allows those of every device, not only of devices with
 * "fix"; `force` allows all, including those that destroy something.
 */
bool finding_may_fix(const struct finding *finding, bool all, bool force);
/*
 * Returns whether the allowed fixes can mend every problem.  A fix in `tried` (NULL: none) cannot.
 * `going`: a VM that was destroyed by force may still disappear, and what it used be free then.
 */
bool findings_mendable(
    const struct findings *findings, bool all, bool force, const struct words *tried, bool going);
/* Returns the problem that the hypervisor or the loader cannot be executed, or NULL. */
const struct finding *findings_missing_program(const struct findings *findings);
/* Returns whether a problem is about this subject. */
bool findings_have(const struct findings *findings, const char *what);
/* Returns the number of problems. */
size_t findings_problems(const struct findings *findings);
/* Frees all findings and zeroes the list. */
void findings_clear(struct findings *findings);

#endif
