/*
 * Import: what other programs read, as a spec.  The result boots the same VM, with every slot
 * pinned as it was.
 */
#ifndef IMPORT_IMPORT_H
#define IMPORT_IMPORT_H

#include <stddef.h>

#include "base/node.h"
#include "base/report.h"
#include "base/words.h"

/* What an import has made. */
struct import {
	struct node *spec; /* the document of the spec */
	/* What has no counterpart, with what to do instead: a line each. */
	struct words notes;
};

/*
 * Imports a text; `path` is that of its file, NULL: it came from standard input.  Returns 0, or -1
 * after it has added to the report; the caller frees *out in both cases.
 */
int import_text(
    const char *text, size_t length, const char *path, struct import *out, struct report *report);
/* Frees what an import has made. */
void import_free(struct import *import);
#define IMPORT_AUTO __attribute__((cleanup(import_free)))

#endif
