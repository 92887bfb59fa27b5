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
#include "lib/given.h"

/* Returns the lines of a list as one text; NULL for an empty one.  Caller frees. */
static char *lines_of(const struct words *list)
{
	struct str s = { 0 };

	for (size_t i = 0; i < list->count; i++)
		str_addf(&s, "%s%s", i == 0 ? "" : "\n", list->item[i]);
	return list->count == 0 ? NULL : str_take(&s);
}

/* Adds what vmrun itself finds wrong in the spec: the import is only as good as its boots. */
static int check_spec(const char *spec, const struct node *document, struct report *report)
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
	for (size_t i = 0; (p = vmrun_problem(vm, i)) != NULL; i++) {
		MEM_AUTO char *key = import_key_text(document, p->path);

		report_add(
		    report, STATUS_SPEC, NULL, "this VM cannot be a spec: %s%s", key, p->text);
	}
	vmrun_close(vm);
	return report->count == 0 ? 0 : -1;
}

/* Refuses options that vmrun_open() would refuse, too, and settings of other keys. */
static int check_options(const struct vmrun_import_options *o, struct error *err)
{
	static const char *const formats[] = { "vm-bhyve", "argv", "bhyve_config", NULL };
	bool known = o->format == NULL;

	if (o->size == 0)
		return error_set(err, STATUS_USAGE,
		    "options.size is 0: initialise the options with VMRUN_IMPORT_OPTIONS");
	if (o->size > sizeof(*o))
		return error_set(err, STATUS_USAGE,
		    "options.size is %zu, but this libvmrun %s knows %zu bytes: the program was "
		    "built with a later header",
		    o->size, VMRUN_VERSION, sizeof(*o));
	if ((o->file == NULL) == (o->text == NULL))
		return error_set(err, STATUS_USAGE, "set either options.file or options.text");
	if (o->directory != NULL && *o->directory != '/')
		return error_set(err, STATUS_USAGE,
		    "options.directory: expected an absolute path, got \"%s\"", o->directory);
	for (size_t i = 0; formats[i] != NULL; i++)
		known = known || strcmp(formats[i], o->format) == 0;
	if (!known)
		return error_set(err, STATUS_USAGE,
		    "unknown import format \"%s\": expected vm-bhyve, argv or bhyve_config",
		    o->format);
	return 0;
}

/* Reads the settings of the host. */
static int read_settings(const char *const *set, struct import_source *source, struct error *err)
{
	for (; set != NULL && *set != NULL; set++) {
		const char *release = str_after(*set, "bhyve.release=");
		const char *arch = str_after(*set, "bhyve.arch=");

		if (release == NULL && arch == NULL)
			return error_set(err, STATUS_USAGE,
			    "%s: an import takes bhyve.release=N and bhyve.arch=A only; change "
			    "other keys in the spec",
			    *set);
		source->release = release != NULL ? release : source->release;
		source->arch = arch != NULL ? arch : source->arch;
	}
	return 0;
}

/* Reads the source, and imports it. */
static int import_source(
    const struct vmrun_import_options *o, struct import *out, char **spec, struct report *report)
{
	TEXT_FILE_AUTO struct text_file text = { 0 };
	struct document_source file = { .file = o->file,
		.text = o->text,
		.length = o->length,
		.name = o->name,
		.directory = o->directory };
	struct import_source source = { .format = o->format };
	struct error err = { 0 };
	struct str s = { 0 };

	if (check_options(o, &err) != 0 || read_settings(o->set, &source, &err) != 0 ||
	    text_read(&file, &text, &err) != 0) {
		report_take(report, NULL, &err);
		return -1;
	}
	source.text = text.text;
	source.length = text.length;
	source.directory = text.directory;
	source.name = text.name;
	source.path = o->file != NULL && strcmp(o->file, "-") != 0 ? o->file : o->name;
	if (import_text(&source, out, report) != 0)
		return -1;
	node_add_json(&s, out->spec);
	*spec = json_indent(s.text);
	free(s.text);
	if (check_spec(*spec, out->spec, report) == 0)
		return 0;
	import_place(&source, report);
	return -1;
}

int vmrun_import(const struct vmrun_import_options *options, char **spec, char **notes, char **why)
{
	struct vmrun_import_options known = { 0 };
	IMPORT_AUTO struct import import = { 0 };
	REPORT_AUTO struct report report = { 0 };
	char *made = NULL;

	give_text(spec, NULL);
	give_text(notes, NULL);
	give_text(why, NULL);
	if (options != NULL)
		memcpy(
		    &known, options, options->size < sizeof(known) ? options->size : sizeof(known));
	if (import_source(&known, &import, &made, &report) == 0) {
		give_text(spec, made);
		give_text(notes, lines_of(&import.notes));
		return STATUS_OK;
	}
	free(made);
	give_text(why, report_text(&report));
	return (int)report.status;
}
