/* Reading a whole spec or hook file. */
#ifndef CONFIG_READ_H
#define CONFIG_READ_H

#include <stddef.h>

#include "base/error.h"
#include "config/document.h"

#define MAX_SPEC_TEXT ((size_t)64 << 20) /* bytes of a spec */

struct text_file {
	char *text; /* NUL-terminated; all members are owned */
	size_t length;
	char *name;
	char *directory; /* absolute */
};

/*
 * Reads the source.  Fails with STATUS_NO_INPUT if it is missing, a directory, unreadable, larger
 * than 64 MiB or untrusted (trust_check()).
 */
int text_read(const struct document_source *source, struct text_file *out, struct error *err);
void text_free(struct text_file *file);
#define TEXT_FILE_AUTO __attribute__((cleanup(text_free)))

#endif
