/*
 * From a document to one boot: merge, decode, slots, on_prepare, plan.  Nothing is started and
 * nothing of the host is changed here; a dry run ends where this does.
 */
#ifndef PLAN_BOOT_H
#define PLAN_BOOT_H

#include "base/report.h"
#include "config/document.h"
#include "hyper/hyper.h"
#include "spec/slots.h"
#include "spec/spec.h"

/* What all boots of a VM are made from. */
struct boot_source {
	struct document *doc;
	const struct words *settings;  /* KEY=VALUE of --set */
	const struct hook_list *hooks; /* further ones, for every target; or NULL */
	const struct hypervisor *hyper;
	const char *program;	   /* of the hypervisor, as the user named it, or NULL */
	const struct words *extra; /* words after `--` */
	const char *run_dir;	   /* where files of running VMs go */
	const char *state_dir;	   /* where files of their lives are */
	bool dry;
	struct pin_map pins; /* made by boot_source_check() */
	struct spec *base;   /* the base alone, with its slots; ditto */
};

/* Facts about this boot that on_prepare is told. */
struct boot_facts {
	int64_t boots;		    /* before this one */
	const char *previous_cause; /* of the boot before, or NULL */
};

struct boot {
	char *target;
	struct spec *spec;
	struct plan plan;
};

/*
 * Decodes and plans every target once, so that a typo is found now and not at the reboot, loads
 * the hook files, and finds out which slots are pinned.  -1: see the report.
 */
int boot_source_check(struct boot_source *source, struct report *report);
void boot_source_clear(struct boot_source *source);

/*
 * Returns the spec of a target as a boot begins with it: merged, decoded, slots assigned, defaults
 * filled in.  After boot_source_check().  NULL: see the report.
 */
struct spec *boot_spec(struct boot_source *source, const char *target, struct report *report);
/*
 * A boot is drafted: merged, decoded, its slots assigned; then on_prepare may change it; then it is
 * finished: it has its plan.  -1: see the report; *out is empty then.
 */
int boot_draft(struct boot_source *source, const char *target, const struct boot_facts *facts,
    struct boot *out, struct report *report);
/* What on_prepare is given: { slots, boot }. Caller frees. */
struct node *boot_prepare_argument(
    const struct boot_source *source, const struct boot *draft, const struct boot_facts *facts);
/* Takes the document that on_prepare returned. -1: see the report; the draft is as it was. */
int boot_change(struct boot_source *source, struct boot *draft, const struct node *changed,
    struct report *report);
/* -1: see the report; the draft has no plan then. */
int boot_finish(struct boot_source *source, struct boot *draft, struct report *report);
/* All of it at once: what hooks wait for is waited for. -1: see the report; *out is empty then. */
int boot_prepare(struct boot_source *source, const char *target, const struct boot_facts *facts,
    struct boot *out, struct report *report);
/* Makes the plan anew, with what the devices have found since. */
int boot_replan(const struct boot_source *source, struct boot *boot, struct report *report);
void boot_clear(struct boot *boot);
/* Adds what messages call the functions of a hook, in their order; the target of the spec is the
 * one that was merged last. */
void boot_hooks(const struct boot_source *source, const struct spec *spec, const char *hook,
    struct words *labels);
/* Keys of the hook files of a spec, as document_hooks() wants them. */
void boot_hook_keys(const struct spec *spec, struct words *keys);

#endif
