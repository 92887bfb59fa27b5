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

#endif
