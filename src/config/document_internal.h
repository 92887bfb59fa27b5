/* Private to the document: what it holds. */
#ifndef CONFIG_DOCUMENT_INTERNAL_H
#define CONFIG_DOCUMENT_INTERNAL_H

#include "config/document.h"
#include "config/source.h"
#include "platform/sandbox.h"

struct document {
	char *name;
	char *directory;
	char *text; /* JSON only: kept for the places of problems */
	size_t length;
	enum format format;
	bool from_stdin;
	struct sandbox *sandbox; /* NULL: it may name everything */
	struct script *script;
	struct words targets;
};

#endif
