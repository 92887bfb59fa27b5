/* The document: private to src/config. */
#ifndef CONFIG_DOCUMENT_INTERNAL_H
#define CONFIG_DOCUMENT_INTERNAL_H

#include "config/document.h"
#include "config/source.h"
#include "platform/sandbox.h"

struct document {
	char *name;
	char *directory;
	char *text; /* JSON only: for the places of problems */
	size_t length;
	enum format format;
	bool from_stdin;
	struct sandbox *sandbox; /* NULL: not sandboxed */
	struct script *script;
	struct words targets;
	struct words functions; /* of the hook files that are loaded: "on_exit KEY" */
};

#endif
