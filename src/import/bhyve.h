/* bhyve's own commands and files: the spec that makes bhyve read the same variables. */
#ifndef IMPORT_BHYVE_H
#define IMPORT_BHYVE_H

#include <stddef.h>

#include "import/import.h"

/*
 * Import the one bhyve command in a text, or a file of bhyve_config(5).  Return 0, or -1 after they
 * have added to the report; the caller frees what is in *out in both cases.
 */
int import_command(const struct import_source *source, struct import *out, struct report *report);
int import_bhyve_config(
    const struct import_source *source, struct import *out, struct report *report);

#endif
