/* libvmrun: the spec of a VM that another program ran. */
#include "vmrun/vmrun.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/node_json.h"
#include "base/str.h"
#include "config/read.h"
#include "import/import.h"

/* Returns the lines of a list as one text; NULL for an empty one.  Caller frees. */
static char *lines_of(const struct words *list)
{
	struct str s = { 0 };

	for (size_t i = 0; i < list->count; i++)
		str_addf(&s, "%s%s", i == 0 ? "" : "\n", list->item[i]);
	return list->count == 0 ? NULL : str_take(&s);
}

/* Adds what vmrun itself finds wrong in the spec: the import is only as good as its boots. */
static int check_spec(const char *spec, struct report *report)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	const struct vmrun_problem *p;
	struct vmrun *vm;

	options.text = spec;
	options.length = strlen(spec);
	options.format = "json";
	options.hypervisor = "bhyve";
	options.dry_run = true;
	if (vmrun_open(&vm, &options) == STATUS_OK)
		(void)vmrun_prepare(vm);
	for (size_t i = 0; (p = vmrun_problem(vm, i)) != NULL; i++)
		report_add(report, STATUS_SPEC, NULL, "this VM cannot be a spec: %s%s%s",
		    p->path == NULL ? "" : p->path, p->path == NULL ? "" : ": ", p->text);
	vmrun_close(vm);
	return report->count == 0 ? 0 : -1;
}

static int import_file(const char *file, struct import *out, char **spec, struct report *report)
{
	TEXT_FILE_AUTO struct text_file text = { 0 };
	struct document_source source = { .file = file };
	struct error err = { 0 };
	struct str s = { 0 };

	if (text_read(&source, &text, &err) != 0) {
		report_take(report, NULL, &err);
		return -1;
	}
	if (import_text(
		text.text, text.length, strcmp(file, "-") == 0 ? NULL : file, out, report) != 0)
		return -1;
	node_add_json(&s, out->spec);
	*spec = json_indent(s.text);
	free(s.text);
	return check_spec(*spec, report);
}

int vmrun_import(const char *file, char **spec, char **notes, char **why)
{
	IMPORT_AUTO struct import import = { 0 };
	REPORT_AUTO struct report report = { 0 };

	*spec = *notes = *why = NULL;
	if (import_file(file, &import, spec, &report) == 0) {
		*notes = lines_of(&import.notes);
		return STATUS_OK;
	}
	free(*spec);
	*spec = NULL;
	*why = report_text(&report);
	return (int)report.status;
}
