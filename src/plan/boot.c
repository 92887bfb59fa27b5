/* Prepares boots. */
#include "plan/boot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hyper/firmware.h"
#include "plan/plan_internal.h"

static struct decoder decoder_of(const struct boot_source *source, struct report *report)
{
	struct decoder d = { .report = report, .directory = document_directory(source->doc) };

	d.of_ucl = document_is_of_ucl(source->doc);
	return d;
}

/* Marks removed devices, which stay in the list to keep their slots empty. */
static void mark_removed(struct spec *spec, const struct node *removed)
{
	for (const struct node *n = removed == NULL ? NULL : removed->first; n != NULL;
	     n = n->next) {
		for (size_t i = 0; i < spec->device_count; i++) {
			if (spec->devices[i]->index + 1 == (size_t)n->integer)
				spec->devices[i]->removed = true;
		}
	}
}

/*
 * Refuses a change of the name: the lock, the directories and the kernel's VM have the first name.
 */
static void check_name(
    const struct boot_source *source, const struct spec *spec, struct report *report)
{
	struct where at = { NULL, "name", 0 };

	if (source->name != NULL && spec->name != NULL && strcmp(spec->name, source->name) != 0)
		report_add(report, STATUS_SPEC, &at,
		    "the VM is \"%s\" since the start: a hook cannot call it \"%s\"", source->name,
		    spec->name);
}

/* Decodes a document and adds the hooks of the command line. */
static struct spec *decode(
    const struct boot_source *source, const struct node *document, struct decoder *d)
{
	struct spec *spec = spec_decode(document, d);

	check_name(source, spec, d->report);
	if (source->hooks != NULL)
		hook_list_append(&spec->hooks, source->hooks);
	return spec;
}

/* Reports probes that a dead guest would pass, and what the sandbox refuses. */
static void check_reach(
    const struct boot_source *source, const struct spec *spec, struct report *report)
{
	spec_check_forwarding(spec, report);
	if (document_sandbox(source->doc) != NULL)
		spec_confine(spec, document_sandbox(source->doc), firmware_is_known, report);
}

struct spec *boot_read_spec(struct boot_source *source, const char *target, struct report *report)
{
	struct decoder d = decoder_of(source, report);
	struct merged merged;
	struct spec *spec;
	size_t before = report->count;

	if (document_merge(source->doc, target, source->settings, &merged, report) < 0)
		return NULL;
	spec = decode(source, merged.spec, &d);
	mark_removed(spec, merged.removed);
	check_reach(source, spec, report);
	merged_clear(&merged);
	document_place(source->doc, report, before);
	return spec;
}

/*
 * Refuses a varfile outside the sandbox, because qemu's file has a name of its own beside bhyve's;
 * and its template, because its name may be made from that of the firmware.
 */
static bool confine_plan(
    const struct boot_source *source, const struct plan *plan, struct report *report)
{
	const struct sandbox *sandbox = document_sandbox(source->doc);
	struct where at = { NULL, "varfile", 0 };
	struct where rom = { NULL, "bootrom", 0 };
	MEM_AUTO char *real = NULL, *template = NULL;

	if (sandbox == NULL || plan->varfile == NULL)
		return true;
	if (plan->varfile_template != NULL && !firmware_is_known(plan->varfile_template) &&
	    !sandbox_allows_path(sandbox, plan->varfile_template, &template)) {
		report_add(report, STATUS_SPEC, &rom,
		    "the sandbox refuses the path \"%s\", from which the varfile would be made: "
		    "name another in \"varfile_template\"",
		    plan->varfile_template);
		return false;
	}
	if (sandbox_allows_path(sandbox, plan->varfile, &real))
		return true;
	report_add(report, STATUS_SPEC, &at,
	    "the sandbox refuses the path \"%s\", which is made of this one and leads outside the "
	    "spec's directory: name another varfile",
	    plan->varfile);
	return false;
}

/* Makes a plan, with the variables of the hypervisor's file or without. */
static int make_plan(const struct boot_source *source, const struct spec *spec, bool argv_only,
    struct plan *plan, struct report *report)
{
	MEM_AUTO char *directory = MEM_JOIN(source->run_dir, "/", spec->name);
	MEM_AUTO char *state = MEM_JOIN(source->state_dir, "/", spec->name);
	struct plan_request request = { spec, source->program, source->extra, directory, state,
		source->dry, argv_only };

	if (source->hyper->plan(&request, plan, report) == 0 && confine_plan(source, plan, report))
		return 0;
	plan_clear(plan);
	return -1;
}

int boot_make_plan(const struct boot_source *source, const struct spec *spec, struct plan *plan,
    struct report *report)
{
	return make_plan(source, spec, true, plan, report);
}

char *boot_config_text(
    const struct boot_source *source, const struct spec *spec, struct report *report)
{
	struct plan *plan = mem_zero(sizeof(*plan));
	char *text = NULL;

	if (source->hyper->config_text != NULL && make_plan(source, spec, false, plan, report) == 0)
		text = source->hyper->config_text(plan, report);
	plan_clear(plan);
	free(plan);
	return text;
}

void boot_config_remarks(
    const struct boot_source *source, const struct spec *spec, struct words *remarks)
{
	REPORT_AUTO struct report ignored = { 0 };
	struct plan *plan = mem_zero(sizeof(*plan));

	if (source->hyper->config_text != NULL &&
	    make_plan(source, spec, false, plan, &ignored) == 0)
		words_append(remarks, &plan->remarks);
	plan_clear(plan);
	free(plan);
}

void boot_hook_keys(const struct spec *spec, struct words *keys)
{
	for (size_t i = 0; i < spec->hooks.count; i++)
		words_add(keys, spec->hooks.item[i].key);
}

void boot_hooks(const struct boot_source *source, const struct spec *spec, const char *hook,
    struct words *labels)
{
	WORDS_AUTO struct words keys = { 0 };
	NODE_AUTO struct node *list = NULL;

	if (!document_has_hook(source->doc, spec, hook))
		return;
	boot_hook_keys(spec, &keys);
	(void)document_hooks(source->doc, hook, &keys, &list, NULL);
	for (const struct node *n = list == NULL ? NULL : list->first; n != NULL; n = n->next)
		words_add(labels, n->text);
}

struct node *boot_leads(const struct boot_source *source, const struct spec *spec)
{
	WORDS_AUTO struct words keys = { 0 };

	boot_hook_keys(spec, &keys);
	return keys.count == 0 ? NULL : document_leads(source->doc, &keys);
}

struct node *boot_prepare_argument(
    const struct boot_source *source, const struct boot *draft, const struct boot_facts *facts)
{
	const struct spec *spec = draft->spec;
	NODE_AUTO struct node *slots = node_new(NODE_LIST);
	struct node *argument = node_new(NODE_OBJECT);
	struct node *boot = node_new(NODE_OBJECT);
	char slot[SLOT_TEXT];

	for (size_t i = 0; i < spec->device_count; i++) {
		/* Devices that come from other keys are in no list of the document. */
		if (!spec->devices[i]->removed && spec->devices[i]->origin == NULL)
			node_append(slots, node_string(slot_text(&spec->devices[i]->slot, slot)));
	}
	node_put(boot, "vm", node_string(spec->name));
	node_put(boot, "target", node_string(draft->target));
	node_put(boot, "boots", node_int(facts->boots));
	node_put(boot, "hypervisor", node_string(source->hyper->name));
	if (facts->previous_cause != NULL)
		node_put(boot, "previous_cause", node_string(facts->previous_cause));
	document_put_spec(source->doc, slots, argument);
	node_put(argument, "boot", boot);
	return argument;
}

int boot_change(struct boot_source *source, struct boot *draft, const struct node *changed,
    struct report *report)
{
	struct decoder d = decoder_of(source, report);
	struct where targets = { NULL, "targets", 0 };
	size_t before = report->count;
	struct spec *spec = decode(source, document_take_spec(source->doc, changed), &d);

	if (node_get(changed, "targets") != NULL)
		report_add(report, STATUS_SPEC, &targets,
		    "a hook changes the spec of one boot, which has no targets");
	check_reach(source, spec, report);
	if (report->count == before) {
		source_check_targets(source, spec, report);
		source_load_hooks(source, spec, report);
		if (draft->others.item == NULL) /* else a hook before has made the list */
			slots_note_others(&draft->others, draft->spec, &source->base);
		slots_assign(spec, &draft->others, &source->pins, report);
		spec_complete(spec);
	}
	document_place(source->doc, report, before);
	if (report->count != before) {
		spec_free(spec);
		return -1;
	}
	source_drop_plan(source);
	spec_free(draft->spec);
	draft->spec = spec;
	return 0;
}

struct spec *boot_spec(struct boot_source *source, const char *target, struct report *report)
{
	size_t before = report->count;
	struct spec *spec = source_take_checked(source, target);

	if (spec != NULL)
		return spec;
	spec = boot_read_spec(source, target, report);
	if (spec != NULL && report->count == before) {
		slots_assign(spec, &source->base, &source->pins, report);
		spec_complete(spec);
	}
	document_place(source->doc, report, before);
	if (report->count == before)
		return spec;
	spec_free(spec);
	return NULL;
}

int boot_draft(struct boot_source *source, const char *target, const struct boot_facts *facts,
    struct boot *out, struct report *report)
{
	struct spec *spec = boot_spec(source, target, report);

	memset(out, 0, sizeof(*out));
	if (spec == NULL)
		return -1;
	if (facts->boots > 0)
		spec_forget_first(spec);
	document_limit(source->doc, spec->hook_timeout_ms, (size_t)spec->hook_memory);
	out->spec = spec;
	out->target = mem_copy(target);
	return 0;
}

/* Stores the programs that the hooks name, which are checked before the start. */
static void find_programs(const struct boot_source *source, struct spec *spec)
{
	for (size_t i = 0; i < spec->hooks.count; i++) {
		struct hook_file *hook = &spec->hooks.item[i];

		words_free(&hook->programs);
		document_hook_programs(source->doc, hook, &hook->programs);
	}
}

int boot_finish(struct boot_source *source, struct boot *draft, struct report *report)
{
	size_t before = report->count;

	if (!source_take_plan(source, &draft->plan) &&
	    boot_make_plan(source, draft->spec, &draft->plan, report) != 0) {
		document_place(source->doc, report, before);
		return -1;
	}
	find_programs(source, draft->spec);
	words_append(&draft->plan.notes, &draft->spec->notes);
	words_append(&draft->spec->inapplicable, &draft->plan.inapplicable);
	source->hyper->complete_spec(&draft->plan, draft->spec);
	return 0;
}

/* Calls one on_prepare and applies its changes. */
static int call_prepare(struct boot_source *source, size_t index, const char *label,
    struct boot *draft, const struct boot_facts *facts, struct report *report)
{
	struct node *argument = boot_prepare_argument(source, draft, facts);
	NODE_AUTO struct node *changed = NULL;
	struct error err = { 0 };

	if (document_call_hook(source->doc, "on_prepare", index, argument, &changed, &err) != 0) {
		err.status = STATUS_CHECK;
		(void)error_prefix(&err, "%s", label);
		report_take(report, NULL, &err);
		return -1;
	}
	return changed == NULL ? 0 : boot_change(source, draft, changed, report);
}

static int run_prepare(struct boot_source *source, struct boot *draft,
    const struct boot_facts *facts, struct report *report)
{
	WORDS_AUTO struct words keys = { 0 };
	NODE_AUTO struct node *labels = NULL;
	struct error err = { 0 };
	size_t index = 1;
	int rc;

	if (!document_has_hook(source->doc, draft->spec, "on_prepare"))
		return 0;
	boot_hook_keys(draft->spec, &keys);
	rc = document_hooks(source->doc, "on_prepare", &keys, &labels, &err);
	if (rc != 0)
		report_take(report, NULL, &err);
	for (const struct node *n = labels == NULL ? NULL : labels->first; n != NULL && rc == 0;
	     n = n->next, index++)
		rc = call_prepare(source, index, n->text, draft, facts, report);
	return rc;
}

int boot_prepare(struct boot_source *source, const char *target, const struct boot_facts *facts,
    struct boot *out, struct report *report)
{
	if (boot_draft(source, target, facts, out, report) != 0)
		return -1;
	if (run_prepare(source, out, facts, report) == 0 && boot_finish(source, out, report) == 0)
		return 0;
	boot_clear(out);
	return -1;
}

int boot_replan(const struct boot_source *source, struct boot *boot, struct report *report)
{
	struct plan plan = { 0 };

	if (boot_make_plan(source, boot->spec, &plan, report) != 0)
		return -1;
	plan_clear(&boot->plan);
	boot->plan = plan;
	return 0;
}

void boot_clear(struct boot *boot)
{
	free(boot->target);
	spec_free(boot->spec);
	plan_clear(&boot->plan);
	slots_forget(&boot->others);
	memset(boot, 0, sizeof(*boot));
}
