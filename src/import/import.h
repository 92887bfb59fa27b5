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

#define IMPORT_NAME "imported" /* of a VM that has no name */

/* What is imported. */
struct import_source {
	const char *text;
	size_t length;
	const char *path;      /* of its file, NULL: it came from standard input or a buffer */
	const char *name;      /* of a text without a path, for messages; NULL: "<stdin>" */
	const char *directory; /* absolute; where relative paths start */
	const char *format;    /* "vm-bhyve", "argv", "bhyve_config"; NULL: by its lines */
	/* The host that the VM ran on, which the spec names then: a key of `bhyve`, or NULL. */
	const char *release, *arch;
};

/* What an import has made. */
struct import {
	struct node *spec; /* the document of the spec */
	/* What has no counterpart, with what to do instead: a line each. */
	struct words notes;
};

/* Imports a text.  Returns 0, or -1 after it has added to the report; the caller frees *out. */
int import_text(const struct import_source *source, struct import *out, struct report *report);
/* Returns the name of a source for messages. */
const char *import_name(const struct import_source *source);
/* Lets that name be the place of problems whose text does not begin with one. */
void import_place(const struct import_source *source, struct report *report);
/*
 * Puts the VM's name into the spec, with a "-" for each character that vmrun does not allow in it;
 * a note says so then.
 */
void import_put_name(struct import *out, const char *name);
/*
 * Returns the beginning of a message on a key of a spec that was not printed, with ": " at its end:
 * a device by its address, "virtio-blk at 0:5:0: path: ".  Caller frees.
 */
char *import_key_text(const struct node *spec, const char *path);
/* Frees what an import has made. */
void import_free(struct import *import);
#define IMPORT_AUTO __attribute__((cleanup(import_free)))

#endif
