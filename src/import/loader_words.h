/* The command of a loader, bhyveload or grub-bhyve, as the key `loader`. */
#ifndef IMPORT_LOADER_WORDS_H
#define IMPORT_LOADER_WORDS_H

#include "import/tree_reader.h"

/*
 * Adds `loader` to the spec.  `input` is what the loader reads from its standard input, or NULL;
 * `vm` is the name that bhyve's command has.  Adds to the report what the loader would refuse, and
 * what does not fit to bhyve's command.
 */
void loader_words_read(
    struct tree_reader *r, const struct words *argv, const char *input, const char *vm);

#endif
