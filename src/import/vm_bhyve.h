/*
 * Guests of vm-bhyve: a guest's .conf as the spec of the VM that vm-bhyve would run for it.  Facts:
 * vm-bhyve's lib/vm-config, vm-run, vm-guest, vm-rctl, vm-switch and vm-switch-standard.
 */
#ifndef IMPORT_VM_BHYVE_H
#define IMPORT_VM_BHYVE_H

#include <stddef.h>

#include "import/import.h"

/*
 * Imports a .conf; the path of the file names the guest and its directory.  Returns 0, or -1 after
 * it has added to the report; the caller frees what is in *out in both cases.
 */
int import_vm_bhyve(const struct import_source *source, struct import *out, struct report *report);

#endif
