/* Recognises what a text is, and imports it. */
#include "import/import.h"

#include <string.h>

#include "config/foreign.h"
#include "import/vm_bhyve.h"

int import_text(
    const char *text, size_t length, const char *path, struct import *out, struct report *report)
{
	const char *kind = foreign_kind(text, length);

	if (kind != NULL && strcmp(kind, FOREIGN_VM_BHYVE) == 0)
		return import_vm_bhyve(text, length, path, out, report);
	report_add(report, STATUS_SPEC, NULL,
	    "%s: this is %s: expected the .conf of a guest of vm-bhyve; for another VM write a "
	    "spec "
	    "as vmrun.conf(5) says, and compare its command with the old one by vmrun -d",
	    path == NULL ? "<stdin>" : path, kind == NULL ? "nothing that can be imported" : kind);
	return -1;
}

void import_free(struct import *import)
{
	node_free(import->spec);
	words_free(&import->notes);
	import->spec = NULL;
}
