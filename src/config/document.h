/*
 * A spec as written by the user, from a file or a buffer: its targets, merges and hooks, and the
 * place of a merged key in the file.  Lua runs for specs in Lua and for hooks only.
 */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/node.h"
#include "base/report.h"
#include "base/words.h"
#include "script/script.h"
#include "spec/spec.h"
#include "target/targets.h"

enum format { FORMAT_AUTO, FORMAT_JSON, FORMAT_LUA, FORMAT_UCL, FORMATS };

/* Finds "auto", "json", "lua" or "ucl".  Returns false for any other name. */
bool format_find(const char *name, enum format *format);

struct document_source {
	const char *file; /* path, "-" for stdin, or NULL: the buffer below */
	const char *text;
	size_t length;
	const char *name;      /* name of a buffer in messages */
	const char *directory; /* absolute; where relative paths of a buffer start, or NULL */
	enum format format;
	bool sandboxed;		   /* restrict what the spec may name (platform/sandbox.h) */
	const struct words *allow; /* what a sandboxed spec may name in addition, or NULL */
};

struct document;

/*
 * Reads, checks and evaluates the source; runs uclcmd for UCL, and waits for it.  Takes
 * merge_rules, from spec_merge_rules().  What `limits` refers to is lent for the life of the
 * document.  Reports problems with their places; a document may be returned in spite of problems
 * in single targets.  Returns NULL if nothing more can be checked,
 * with STATUS_NO_INPUT (unreadable), STATUS_SPEC or STATUS_USAGE (UCL that is not in a file) in the
 * report.
 */
struct document *document_load(const struct document_source *source,
    const struct script_options *limits, struct node *merge_rules, struct report *report);
void document_free(struct document *doc);

/* Returns the absolute directory that relative paths start from. */
const char *document_directory(const struct document *doc);
/* Returns the sandbox that restricts the document, or NULL. */
const struct sandbox *document_sandbox(const struct document *doc);
/*
 * Returns whether numbers may come from UCL, which reads 512M without quotes as 512000000: in UCL,
 * and in JSON from stdin, which may be the output of uclcmd.
 */
bool document_is_of_ucl(const struct document *doc);
/* Lends the sorted names of all targets, including "default". */
const struct words *document_targets(const struct document *doc);
/* Returns `unknown target "x"`, with the nearest name as a hint and all names.  Caller frees. */
char *document_unknown_target(const struct document *doc, const char *name);
/* Reports the same. */
void document_report_target(
    const struct document *doc, const char *name, const struct where *at, struct report *report);
/* Returns whether a target is the base alone: "default", unless the document has it. */
bool document_is_base(const struct document *doc, const char *target);
/* Returns whether the base or a target has this text as the value of a key. */
bool document_has(const struct document *doc, const char *key, const char *text);
/* Changes the limits of the calls that follow. */
void document_limit(struct document *doc, int64_t budget_ms, size_t memory_bytes);

/*
 * Merges a target (NULL: none) over the base, and KEY=VALUE settings over that, which are lent
 * until the next merge.  Returns 0, or -1 if it has added problems, with their places, to the
 * report. Returns 1 if it has, but only of entries of devices: then *out has the rest, whose
 * problems can be told, too.
 */
int document_merge(struct document *doc, const char *target, const struct words *settings,
    struct merged *out, struct report *report);
/*
 * Adds the place and the original path to every problem from `first` on that has none.  Cuts off
 * problems beyond MAX_REPORT_PROBLEMS.
 */
void document_place(struct document *doc, struct report *report, size_t first);

/* Returns whether functions can change the spec: no script reaches the tables of JSON and UCL. */
bool document_is_script(const struct document *doc);
/* Returns whether the document is as it was merged last, so that a merge gives the same again. */
bool document_is_same(struct document *doc);
/*
 * Adds to the argument of on_prepare the spec merged last, with these slots for its devices: the
 * hook may change it.
 */
void document_put_spec(struct document *doc, const struct node *slots, struct node *argument);
/*
 * Lets the spec that on_prepare has returned stand for the one merged last.  Returns it without
 * nulls (lent until the next merge).
 */
const struct node *document_take_spec(struct document *doc, const struct node *changed);
/*
 * Returns the path in the document that a key of the last merge came from: "targets.install.mem".
 * Caller frees.
 */
char *document_path(struct document *doc, const struct node *keys);

/*
 * Loads a hook file or a stock hook once, for a VM of this name; `at` is its entry in the spec, or
 * NULL.  Skips a file
 * that the sandbox refuses, which spec_confine() reports.  Returns the key of vmrun.state for this
 * use, or NULL.  Caller frees.
 */
char *document_load_hook(struct document *doc, const struct hook_file *hook, const char *vm,
    const struct restart_limit *limit, const struct where *at, struct report *report);
/* Returns whether the spec and its loaded hook files may have a function for a hook. */
bool document_has_hook(const struct document *doc, const struct spec *spec, const char *hook);
/*
 * Returns where these hook files say that they may lead: a list of { by, from, cause, target }.
 * Caller frees.
 */
struct node *document_leads(struct document *doc, const struct words *files);
/*
 * Adds the programs that a loaded hook names as those that it runs; none if the sandbox keeps the
 * hook from running any.
 */
void document_hook_programs(
    struct document *doc, const struct hook_file *hook, struct words *programs);
/*
 * Lists the functions for a hook of the target merged last, in order, by labels for messages.
 * Caller frees the list, which holds until another list of the same hook is made or a script runs.
 */
int document_hooks(struct document *doc, const char *hook, const struct words *files,
    struct node **labels, struct error *err);
/* Returns a number that is another one after each turn of a script: see script_turns(). */
uint64_t document_turns(const struct document *doc);
/*
 * Begins a call of the index-th of them (from 1); takes the argument.  The call may wait: see
 * script_begin().
 */
int document_begin_hook(struct document *doc, const char *hook, size_t index, struct node *argument,
    struct script_reply *reply, struct error *err);
/* Calls it to its end, including its waits.  *answer is NULL if the hook has no opinion. */
int document_call_hook(struct document *doc, const char *hook, size_t index, struct node *argument,
    struct node **answer, struct error *err);
/*
 * Begins a script, a Lua text named `name` in messages, as a hook of the VM: it has the globals of
 * the spec's hooks, and its relative paths start from the spec's directory.  Its result is plain
 * data.
 */
int document_begin_run(struct document *doc, const char *text, size_t length, const char *name,
    struct script_reply *reply, struct error *err);
/*
 * Drops the state of a stock hook from vmrun.state, and makes the hook ignore its older place.
 * Fails with STATUS_CHECK if there is none, or if the change cannot be saved.
 */
int document_forget_state(
    struct document *doc, const char *name, const char *older, struct error *err);

#endif
