/* Merges a value over another one.  The originals stay as they are. */
#ifndef TARGET_OVERLAY_H
#define TARGET_OVERLAY_H

#include "base/node.h"

/* Returns the rules of a key in an object with these rules, or NULL: its value replaces. */
const struct node *overlay_rules(const struct node *rules, const char *key);
/*
 * Returns whether the value has nothing to clean: no null in an object, or in its objects that
 * merge.
 */
bool overlay_is_clean(const struct node *value, const struct node *rules);
/* Returns a copy without nulls in the objects that merge.  Caller frees. */
struct node *overlay_clean(const struct node *value, const struct node *rules);
/*
 * Returns `above` merged over `below` (may be NULL): objects merge key by key and null unsets a
 * key; the objects of keys with rules merge in the same way.  Caller frees.
 */
struct node *overlay(const struct node *below, const struct node *above, const struct node *rules);

#endif
