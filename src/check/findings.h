/* What the checks of one boot found, device by device, and what would mend it. */
#ifndef CHECK_FINDINGS_H
#define CHECK_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"
#include "device/device.h"

enum finding_kind {
	FINDING_PROBLEM,   /* the VM cannot start */
	FINDING_UNCHECKED, /* nobody could be asked: said, and no reason not to start */
};

struct finding {
	enum finding_kind kind;
	const struct device *dev; /* lent by the spec; NULL: the VM itself */
	struct node *keys;	  /* of the merged spec: where the value stands, as where_keys() */
	char *what;		  /* what is wrong: "tap3", "/vm/disk.img" */
	char *text;		  /* why: "no such interface" */
	struct words fix;	  /* the command that mends it; empty: none does */
	struct words undo;	  /* what takes that back at the end; empty: nothing has to */
	struct words probe;	  /* and what tells whether it is still there: */
	const char *sign;	  /* it is when the output holds this; NULL: `what` */
	bool forced;		  /* destroys something: only --force runs it */
};

struct findings {
	struct finding *item;
	size_t count;
};

/* Adds one and lends it until the next is added; what and text are copied. */
struct finding *findings_add(struct findings *findings, enum finding_kind kind,
    const struct device *dev, const struct where *at, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* Moves all of `from` behind those of `to`, and groups them: the VM itself first, then device by
 * device in their order. */
void findings_move(struct findings *to, struct findings *from);
/* May its fix be run?  `all`: those of every device, not only of those that ask for it; `force`:
 * also what destroys something, and all others. */
bool finding_may_fix(const struct finding *finding, bool all, bool force);
/* The first whose fix may be run, or NULL. */
const struct finding *findings_next_fix(const struct findings *findings, bool all, bool force);
/* How many problems are there? */
size_t findings_problems(const struct findings *findings);
void findings_clear(struct findings *findings);

#endif
