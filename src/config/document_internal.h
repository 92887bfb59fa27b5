/* The document: private to src/config. */
#ifndef CONFIG_DOCUMENT_INTERNAL_H
#define CONFIG_DOCUMENT_INTERNAL_H

#include "config/document.h"
#include "config/source.h"
#include "platform/sandbox.h"
#include "target/targets.h"

struct document {
	char *name;
	char *directory;
	char *text; /* JSON only: for the places of problems */
	size_t length;
	struct json_places *places; /* of the text; NULL: no problem needed them yet */
	enum format format;
	bool from_stdin;
	struct sandbox *sandbox; /* NULL: not sandboxed */
	struct node *rules;	 /* of merging */
	struct targets *targets;
	struct words names; /* of the targets, as they were at first */
	struct script_options options;
	struct script *script;	/* NULL: no script was needed yet */
	uint64_t turns;		/* of the script, when the targets were made of its tables */
	struct words functions; /* of the hook files that are loaded: "on_exit KEY" */
};

/* Returns the script, which is made at the first call, or NULL. */
struct script *document_script(struct document *doc, struct error *err);
/* Calls a function of the script; see script_call(). */
int document_call(struct document *doc, const char *function, const struct node *argument,
    struct node **result, struct error *err);

#endif
