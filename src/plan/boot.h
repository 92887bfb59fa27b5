/*
 * From a document to one boot: merge, decode, slots, on_prepare, plan.  Starts nothing and changes
 * nothing on the host; a dry run ends after this.
 */
#ifndef PLAN_BOOT_H
#define PLAN_BOOT_H

#include "base/report.h"
#include "config/document.h"
#include "hyper/hyper.h"
#include "spec/slots.h"
#include "spec/spec.h"

/* The source of all boots of a VM. */
struct boot_source {
	struct document *doc;
	const struct words *settings;  /* KEY=VALUE of --set */
	const struct hook_list *hooks; /* further hooks, for every target; or NULL */
	const struct hypervisor *hyper;
	const char *program;	   /* of the hypervisor, as given by the user, or NULL */
	const struct words *extra; /* words after `--` */
	const char *run_dir;	   /* directory for files of running VMs */
	const char *state_dir;	   /* directory for files that outlive them */
	const char *first;	   /* the target that boots first, or NULL: not known */
	bool dry;
	int exec_result;	     /* of each vmrun.exec() of a dry run, which runs nothing */
	char *name;		     /* of the VM; made by boot_source_check() */
	struct pin_map pins;	     /* ditto */
	struct base_slots base;	     /* ditto */
	struct spec *checked;	     /* that of `first`, for its boot, or NULL; ditto */
	struct plan checked_plan;    /* of the same, or empty; ditto */
	struct restart_limit widest; /* of all targets, for hooks, which are loaded once; ditto */
};

/* Facts about this boot for on_prepare. */
struct boot_facts {
	int64_t boots;		    /* before this one */
	const char *previous_cause; /* of the boot before, or NULL */
};

struct boot {
	char *target;
	struct spec *spec;
	struct plan plan;
	bool is_kept;		  /* boot_again() may make it the next boot */
	struct base_slots others; /* of what is in no list that an on_prepare gets */
};

/*
 * Decodes and plans every target once, so that a typo is found now and not at the reboot; loads the
 * hook files, and finds the pinned slots.  Returns -1 with problems in the report.
 */
int boot_source_check(struct boot_source *source, struct report *report);
/* Makes *fresh a source with the options of another one, and without its document. */
void boot_source_renew(struct boot_source *fresh, const struct boot_source *old);
/* Frees what the source owns and zeroes it. */
void boot_source_clear(struct boot_source *source);

/*
 * Returns the spec of a target as a boot begins with it: merged, decoded, slots assigned, defaults
 * filled in.  After boot_source_check().  NULL: see the report.
 */
struct spec *boot_spec(struct boot_source *source, const char *target, struct report *report);
/*
 * Makes a draft of a boot: merged, decoded, with its slots.  on_prepare may change the draft, and
 * boot_finish() adds its plan.  On -1 see the report; *out is empty then.
 */
int boot_draft(struct boot_source *source, const char *target, const struct boot_facts *facts,
    struct boot *out, struct report *report);
/* Returns the argument of on_prepare: { spec, owners, boot }.  Caller frees. */
struct node *boot_prepare_argument(
    const struct boot_source *source, const struct boot *draft, const struct boot_facts *facts);
/* Applies the document that on_prepare returned.  On -1 see the report; the draft is unchanged. */
int boot_change(struct boot_source *source, struct boot *draft, const struct node *changed,
    struct report *report);
/* Adds the plan to a draft.  On -1 see the report; the draft has no plan then. */
int boot_finish(struct boot_source *source, struct boot *draft, struct report *report);
/*
 * Makes the draft, runs on_prepare and adds the plan, waiting for hooks.  On -1 see the report;
 * *out is empty then.
 */
int boot_prepare(struct boot_source *source, const char *target, const struct boot_facts *facts,
    struct boot *out, struct report *report);
/* Makes the plan again, with the names and ports found for devices since. */
int boot_replan(const struct boot_source *source, struct boot *boot, struct report *report);
/*
 * Lets boot_again() use the boot, which was merged last, unless that would not give what a new
 * draft gives: a hook or a file has a say in it, or it is the first boot and differs from others.
 */
void boot_keep(struct boot_source *source, struct boot *boot, bool is_first);
/*
 * Makes the boot that has ended the next one, of the same target, without a new draft.  Returns
 * false if it was not kept, or if what it was made of has changed.
 */
bool boot_again(struct boot_source *source, struct boot *boot);
/* Frees what the boot owns and zeroes it. */
void boot_clear(struct boot *boot);
/*
 * Adds the labels of the functions of a hook, as messages have them, in their order.  The target of
 * the spec must be the one that was merged last.
 */
void boot_hooks(const struct boot_source *source, const struct spec *spec, const char *hook,
    struct words *labels);
/*
 * Returns where the hook files of a spec say that they may lead: a list of { by, from, cause,
 * target }, or NULL.  Caller frees.
 */
struct node *boot_leads(const struct boot_source *source, const struct spec *spec);
/*
 * Returns a boot's spec as a configuration file of the hypervisor, or NULL if it has no such file.
 * Reports errors.  Caller frees.
 */
char *boot_config_text(
    const struct boot_source *source, const struct spec *spec, struct report *report);
/* Adds remarks on what this file cannot contain; none if it cannot be made. */
void boot_config_remarks(
    const struct boot_source *source, const struct spec *spec, struct words *remarks);
/* Adds the keys of the hook files of a spec, as document_hooks() wants them. */
void boot_hook_keys(const struct spec *spec, struct words *keys);

#endif
