/*
 * A spec as its user wrote it, from a file or a buffer, held in Lua: its targets, its merges, its
 * hooks, and the way back from a merged key to the line that says it.
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

enum format { FORMAT_AUTO, FORMAT_JSON, FORMAT_LUA, FORMAT_UCL, FORMATS };

/* "auto", "json", "lua", "ucl"; false when there is no such format. */
bool format_find(const char *name, enum format *format);

struct document_source {
	const char *file; /* path, "-" for stdin, or NULL: the buffer below */
	const char *text;
	size_t length;
	const char *name;      /* what messages call a buffer */
	const char *directory; /* absolute; where a buffer's relative paths start, NULL: the cwd */
	enum format format;
	bool sandboxed;		   /* restrict what it may name: see platform/sandbox.h */
	const struct words *allow; /* what a sandboxed one may name besides, or NULL */
};

struct document;

/* One merge of base and target. */
struct merged {
	struct node *spec;    /* owned */
	size_t base_devices;  /* the first so many of its emulations are the base's */
	struct node *removed; /* owned list: places (from 1) of devices that the target removes */
};

void merged_clear(struct merged *m);

/*
 * Reads, checks and evaluates the source.  merge_rules (taken) is spec_merge_rules().  Problems
 * have their places.  NULL when nothing can be checked further, with STATUS_NO_INPUT (cannot be
 * read), STATUS_SPEC or STATUS_USAGE (UCL that is no file) in the report; problems of single
 * targets may stand there beside a document.  For UCL uclcmd is run, and waited for.
 */
struct document *document_load(const struct document_source *source,
    const struct script_options *limits, struct node *merge_rules, struct report *report);
void document_free(struct document *doc);

/* Directory that relative paths start from, absolute. */
const char *document_directory(const struct document *doc);
/* Returns what judges the names in it; NULL: it is not sandboxed. */
const struct sandbox *document_sandbox(const struct document *doc);
/*
 * May its numbers be what UCL made of them?  So it is for UCL, and for JSON from stdin, where
 * uclcmd's users put it: UCL reads 512M without quotes as 512000000.
 */
bool document_is_of_ucl(const struct document *doc);
/* Names of all targets, "default" among them; sorted. Lent. */
const struct words *document_targets(const struct document *doc);
/* `no target "x"`, with a hint at the nearest. */
void document_report_target(
    const struct document *doc, const char *name, const struct where *at, struct report *report);
void document_limit(struct document *doc, int64_t budget_ms, size_t memory_bytes);

/*
 * Lays a target (NULL: none) over the base, then KEY=VALUE settings over that.  -1 when the report
 * has got problems: those have their places already.
 */
int document_merge(struct document *doc, const char *target, const struct words *settings,
    struct merged *out, struct report *report);
/*
 * Gives a place and the original path to every problem from `first` on that has none; of more than
 * REPORT_MOST the rest is cut off.
 */
void document_place(struct document *doc, struct report *report, size_t first);

/* The path of the document that a key of the last merge came from: "targets.install.mem".  Caller
 * frees. */
char *document_path(struct document *doc, const struct node *keys);

/*
 * Loads a file of hooks or a stock hook once; `at` is its entry in the spec, if it has one. Returns
 * the key of vmrun.state under which this use keeps its own, or NULL. Caller frees.  Skips a file
 * that the sandbox refuses, which spec_confine() reports.
 */
char *document_load_hook(struct document *doc, const struct hook_file *hook, const struct where *at,
    struct report *report);
/*
 * The functions that answer to a hook for the target merged last: labels for messages, in order.
 * Caller frees the list.
 */
int document_hooks(struct document *doc, const char *hook, const struct words *files,
    struct node **labels, struct error *err);
/* Calls the index-th of them (from 1); argument is taken.  It may wait: see script_begin(). */
int document_begin_hook(struct document *doc, const char *hook, size_t index, struct node *argument,
    struct script_reply *reply, struct error *err);
/* The same to its end, whatever it waits for. *answer is NULL for "no opinion". */
int document_call_hook(struct document *doc, const char *hook, size_t index, struct node *argument,
    struct node **answer, struct error *err);
/*
 * Drops what a stock hook has kept in vmrun.state under its name, and makes it take no notice of
 * the older place.  STATUS_CHECK when there is nothing, or the change cannot be kept.
 */
int document_forget_state(
    struct document *doc, const char *name, const char *older, struct error *err);

#endif
