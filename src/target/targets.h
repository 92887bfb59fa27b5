/*
 * The targets of a document: which there are, what each merges to, and where a merged value was
 * written.  Everything here is computed from nodes; no script runs.
 */
#ifndef TARGET_TARGETS_H
#define TARGET_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/node.h"
#include "base/report.h"
#include "base/words.h"

struct targets;

/* One merge of base and target. */
struct merged {
	struct node *spec;    /* owned; what is in it may be lent by the targets, until a merge */
	size_t base_devices;  /* how many of the first emulations are the base's */
	struct node *removed; /* owned list: indices (from 1) of devices that the target removes */
};

void merged_clear(struct merged *m);

/*
 * Takes a document, and lends the merge rules of spec_merge_rules(): the keys whose objects merge
 * key by key, nested; "*" stands for every other key of an object.  `room` is the number of bytes
 * that merges may keep for others: a chain of targets takes as many times what one of them takes.
 */
struct targets *targets_new(struct node *document, const struct node *rules, size_t room);
void targets_free(struct targets *t);

/* Lends the document. */
const struct node *targets_document(const struct targets *t);
/* Returns whether the base or a target has this text as the value of a key. */
bool targets_have(const struct targets *t, const char *key, const char *text);
/* Lends the sorted names of all targets, including "default". */
const struct words *targets_names(const struct targets *t);
/* Returns whether a target is the base alone: "default", unless the document has it. */
bool targets_is_base(const struct targets *t, const char *name);
/* Returns `unknown target "x"`, with the nearest name and all names.  Caller frees. */
char *targets_unknown(const struct words *names, const char *wanted);
/* Reports what is wrong with the targets, whatever is booted. */
void targets_check(const struct targets *t, struct report *report);

/*
 * Merges a target (NULL: none) over the base, and KEY=VALUE settings (may be NULL) over that.  The
 * settings are lent until the next merge.  Adds problems with their paths to the report, and fills
 * *out all the same.  Returns whether all but entries of devices is merged: what those entries lack
 * makes no other problem.
 */
bool targets_merge(struct targets *t, const char *target, const struct words *settings,
    struct merged *out, struct report *report);
/*
 * Returns the spec that was merged last, without devices that a target removes, or the one of
 * targets_replace().  Caller frees.
 */
struct node *targets_last(struct targets *t);
/*
 * Lets a spec that a hook has made stand for the one merged last, until the next merge.  Returns it
 * without nulls (lent).
 */
const struct node *targets_replace(struct targets *t, const struct node *spec);

enum targets_origin { ORIGIN_FILE, ORIGIN_SETTING, ORIGIN_HOOK };

/*
 * Finds where a value of the last merge, or of the document, was written.  *path (caller frees) is
 * its path in the document, or that of its container if the key is missing.
 */
enum targets_origin targets_locate(
    const struct targets *t, const struct node *keys, struct node **path);

/*
 * Returns whose value of a key holds in the last merge: the name of a target, "" for the base, or
 * NULL if there is none.  Lent.
 */
const char *targets_owner(const struct targets *t, const char *key);

#endif
