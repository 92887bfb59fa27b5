/* Checks all targets of a spec at the start. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "plan/boot.h"
#include "plan/plan_internal.h"

static void check_target(
    struct boot_source *source, const char *target, const struct where *at, struct report *report)
{
	if (target != NULL && !words_have(document_targets(source->doc), target))
		document_report_target(source->doc, target, at, report);
}

void source_check_targets(
    struct boot_source *source, const struct spec *spec, struct report *report)
{
	struct where next = { NULL, "next_target", 0 }, on = { NULL, "on", 0 };

	check_target(source, spec->next_target, &next, report);
	for (int i = 0; i < CAUSES; i++) {
		struct where cause = { &on, cause_name((enum cause)i), 0 };
		struct where at = { &cause, "boot", 0 };

		check_target(source, spec->on[i].target, &at, report);
	}
	for (size_t i = 0; i < spec->on_status.count; i++) {
		const struct status_action *entry =
		    (const struct status_action *)spec->on_status.item + i;
		struct where status = { &on, entry->status, 0 };
		struct where at = { &status, "boot", 0 };

		check_target(source, entry->action.target, &at, report);
	}
}

/* Refuses two uses of a hook under one name: they would share one state. */
static void check_state_name(const struct hook_file *hook, const char *name, struct words *known,
    const struct where *at, struct report *report)
{
	size_t before = report->count;

	if (words_have(known, name))
		report_add(report, STATUS_SPEC, at,
		    "a second use of this hook would share the state \"%s\" with the first one: "
		    "give it an \"id\"",
		    name);
	else
		words_add(known, name);
	if (hook->of_option && report->count > before)
		report->item[before].place = mem_format("--hook %s", hook->name);
}

void source_load_hooks(struct boot_source *source, const struct spec *spec, struct report *report)
{
	WORDS_AUTO struct words known = { 0 };

	for (size_t i = 0; i < spec->hooks.count; i++) {
		const struct hook_file *hook = &spec->hooks.item[i];
		struct where list = { NULL, "hooks", 0 }, at = { &list, NULL, i };
		const struct where *place = hook->of_option ? NULL : &at;
		MEM_AUTO char *state_name = document_load_hook(
		    source->doc, hook, spec->name, &source->widest, place, report);

		if (state_name != NULL)
			check_state_name(hook, state_name, &known, place, report);
	}
}

/* One target at the start: its spec, and its problems. */
struct candidate {
	const char *target;
	struct spec *spec; /* NULL when there was nothing to decode */
	struct plan plan;  /* empty if there are problems */
	struct report report;
};

/* Merges a target again, because places belong to the target that was merged last. */
static void merge_again(struct boot_source *source, const char *target)
{
	struct merged merged;
	REPORT_AUTO struct report ignored = { 0 };

	if (document_merge(source->doc, target, source->settings, &merged, &ignored) >= 0)
		merged_clear(&merged);
}

/*
 * Checks all that can be checked of a target before it boots.  The pins of all targets are known.
 */
static void check_candidate(struct boot_source *source, struct candidate *c)
{
	size_t before = c->report.count;

	if (c->spec == NULL)
		return;
	source_check_targets(source, c->spec, &c->report);
	source_load_hooks(source, c->spec, &c->report);
	slots_assign(c->spec, &source->base, &source->pins, &c->report);
	if (c->report.count == 0) {
		spec_complete(c->spec);
		(void)boot_make_plan(source, c->spec, &c->plan, &c->report);
	}
	if (c->report.count == before)
		return;
	merge_again(source, c->target);
	document_place(source->doc, &c->report, before);
}

/* Assigns the slots of the base, which no target may move. */
static void place_base(struct boot_source *source, struct spec *base)
{
	REPORT_AUTO struct report ignored = { 0 }; /* the targets have the same problems */

	if (base == NULL)
		return;
	slots_collect(&source->pins, base);
	slots_assign(base, &source->base, &source->pins, &ignored);
	slots_note(&source->base, base);
}

/* Refuses words for the hypervisor in the sandbox: they could do what a spec may not. */
static void refuse_words(const struct boot_source *source, struct report *report)
{
	if (document_sandbox(source->doc) == NULL || source->extra == NULL ||
	    source->extra->count == 0)
		return;
	report_add(report, STATUS_SPEC, NULL,
	    "the sandbox refuses words for the hypervisor (\"%s\"), which are passed on unchecked: "
	    "remove them",
	    source->extra->item[0]);
	report->item[report->count - 1].place = mem_copy("--");
}

/* Keeps the limit that allows the most boots. */
static void widen_limit(struct boot_source *source, const struct restart_limit *limit)
{
	if (!source->widest.off && (limit->off || limit->count > source->widest.count))
		source->widest = *limit;
}

/* Reads a target, and what it asks of all.  One that is the base alone has the spec of the base. */
static void read_candidate(struct boot_source *source, struct candidate *c, struct spec *base,
    const struct report *of_base)
{
	if (of_base->count == 0 && document_is_base(source->doc, c->target)) {
		c->spec = base;
		merge_again(source, c->target);
	} else {
		c->spec = boot_read_spec(source, c->target, &c->report);
	}
	if (c->spec == NULL)
		return;
	slots_collect(&source->pins, c->spec);
	if (base != NULL)
		slots_collect_leaving(&source->base, base, c->spec);
	widen_limit(source, &c->spec->restart_limit);
}

static bool is_first(const struct boot_source *source, const struct candidate *c)
{
	return source->first != NULL && strcmp(source->first, c->target) == 0;
}

/*
 * Keeps the spec and the plan of the first boot, which was merged last, or frees those of another
 * target, but not the base.
 */
static void end_candidate(struct boot_source *source, struct candidate *c, const struct spec *base)
{
	if (is_first(source, c) && !document_is_script(source->doc)) {
		source->checked = c->spec;
		source->checked_plan = c->plan;
		return;
	}
	if (c->spec != base)
		spec_free(c->spec);
	plan_clear(&c->plan);
}

static int compare_targets(const void *name, const void *candidate)
{
	return strcmp(name, ((const struct candidate *)candidate)->target);
}

/*
 * Returns the target in whose value the path of a problem is, or NULL.  The list is sorted, as the
 * names of a document are.
 */
static const struct candidate *find_owner(
    const struct candidate *list, size_t count, const struct problem *p)
{
	const char *path = p->path == NULL ? NULL : str_after(p->path, "targets.");
	MEM_AUTO char *name = path == NULL ? NULL : mem_copy(path);
	const struct candidate *owner = NULL;

	/* The longest name first: a and a.b both fit a.b.mem. */
	for (char *end = name == NULL ? NULL : name + strlen(name); end != NULL && owner == NULL;
	     end = strrchr(name, '.')) {
		*end = '\0';
		owner = bsearch(name, list, count, sizeof(*list), compare_targets);
	}
	return owner;
}

/*
 * Names a target in its problems that neither the base has nor the target in which the path of the
 * problem is: values from there do not fit what this target changes, or takes from another one.
 */
static void name_target(
    const struct candidate *list, size_t count, struct candidate *c, const struct report *of_base)
{
	for (size_t i = 0; i < c->report.count; i++) {
		struct problem *p = &c->report.item[i];
		const struct candidate *owner = find_owner(list, count, p);
		MEM_AUTO char *text = NULL;

		if (report_has(owner != NULL ? &owner->report : of_base, p))
			continue;
		text = p->text;
		p->text = mem_format("in target %s: %s", c->target, text);
	}
}

/* Names the targets in their problems, except in those of the base, of which of_base gets all. */
static void name_targets(struct boot_source *source, struct candidate *list, size_t count,
    struct spec *base, struct report *of_base)
{
	struct candidate alone = { .spec = base, .report = *of_base };
	size_t problems = 0;

	for (size_t i = 0; i < count; i++)
		problems += list[i].report.count;
	if (problems == 0)
		return;
	check_candidate(source, &alone);
	plan_clear(&alone.plan);
	*of_base = alone.report;
	for (size_t i = 0; i < count; i++)
		name_target(list, count, &list[i], of_base);
}

int boot_source_check(struct boot_source *source, struct report *report)
{
	const struct words *targets = document_targets(source->doc);
	struct candidate *list = mem_zero((targets->count + 1) * sizeof(*list));
	REPORT_AUTO struct report of_base = { 0 };
	size_t before = report->count;
	struct spec *base;

	refuse_words(source, report);
	base = boot_read_spec(source, NULL, &of_base);
	if (base != NULL && base->name != NULL)
		source->name = mem_copy(base->name);
	for (size_t i = 0; i < targets->count; i++) {
		list[i].target = targets->item[i];
		if (!is_first(source, &list[i]))
			read_candidate(source, &list[i], base, &of_base);
	}
	for (size_t i = 0; i < targets->count; i++) {
		if (is_first(source, &list[i]))
			read_candidate(source, &list[i], base, &of_base);
	}
	place_base(source, base);
	for (size_t i = 0; i < targets->count; i++) {
		check_candidate(source, &list[i]);
		end_candidate(source, &list[i], base);
	}
	name_targets(source, list, targets->count, base, &of_base);
	for (size_t i = 0; i < targets->count; i++)
		report_merge(report, &list[i].report);
	free(list);
	/* What is wrong with the base is wrong with each target, unless memory ran out. */
	if (base == NULL && report->count == before)
		report_merge(report, &of_base);
	if (source->checked != base)
		spec_free(base);
	report_sort(report);
	return report->count == before ? 0 : -1;
}

struct spec *source_take_checked(struct boot_source *source, const char *target)
{
	struct spec *spec = source->checked;

	source->checked = NULL;
	if (spec != NULL && strcmp(source->first, target) == 0)
		return spec;
	source_drop_plan(source);
	spec_free(spec);
	return NULL;
}

void source_drop_plan(struct boot_source *source)
{
	plan_clear(&source->checked_plan);
}

bool source_take_plan(struct boot_source *source, struct plan *plan)
{
	if (source->checked_plan.vm == NULL || !plan_is_current(&source->checked_plan)) {
		source_drop_plan(source);
		return false;
	}
	*plan = source->checked_plan;
	memset(&source->checked_plan, 0, sizeof(source->checked_plan));
	return true;
}

void boot_source_renew(struct boot_source *fresh, const struct boot_source *old)
{
	*fresh = (struct boot_source){ .settings = old->settings,
		.hooks = old->hooks,
		.hyper = old->hyper,
		.program = old->program,
		.extra = old->extra,
		.run_dir = old->run_dir,
		.state_dir = old->state_dir,
		.dry = old->dry,
		.exec_result = old->exec_result };
}

void boot_source_clear(struct boot_source *source)
{
	free(source->name);
	slots_forget(&source->base);
	spec_free(source->checked);
	source_drop_plan(source);
	document_free(source->doc);
	memset(source, 0, sizeof(*source));
}
