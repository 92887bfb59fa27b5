/* The private interface of src/plan. */
#ifndef PLAN_INTERNAL_H
#define PLAN_INTERNAL_H

#include "plan/boot.h"

/*
 * boot.c: returns the merged and decoded spec of a target, without slots: also when the report got
 * problems, as far as it could be read.  NULL if there was nothing to decode.
 */
struct spec *boot_read_spec(struct boot_source *source, const char *target, struct report *report);
/* boot.c: plans a spec.  On -1 see the report; the plan is empty then. */
int boot_make_plan(const struct boot_source *source, const struct spec *spec, struct plan *plan,
    struct report *report);

/* source.c: checks the targets that a spec leads to. */
void source_check_targets(
    struct boot_source *source, const struct spec *spec, struct report *report);
/* source.c: loads the hook files of a spec. */
void source_load_hooks(struct boot_source *source, const struct spec *spec, struct report *report);
/*
 * source.c: returns the spec that the check of the source has left, if it is that of the target;
 * NULL: none.  Only the first call after the check finds one, because another target can be merged
 * after it.  Caller frees.
 */
struct spec *source_take_checked(struct boot_source *source, const char *target);
/* source.c: takes the plan of that spec.  Returns false if there is none, or none any more. */
bool source_take_plan(struct boot_source *source, struct plan *plan);
/* source.c: drops that plan, because the spec is another one now. */
void source_drop_plan(struct boot_source *source);

#endif
