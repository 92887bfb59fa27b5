/* From bhyve's command or file to the spec: its variables, and what stands around the command. */
#include "import/bhyve.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node_json.h"
#include "base/str.h"
#include "config/foreign.h"
#include "hyper/bhyve_plan.h"
#include "import/bhyve_argv.h"
#include "import/bhyve_tree.h"
#include "import/loader_words.h"
#include "import/tree_check.h"
#include "shell/command_text.h"
#include "shell/shell_directory.h"

/* Where relative paths start. */
struct directories {
	char *command, *loader; /* owned */
};

static void directories_free(struct directories *d)
{
	free(d->command);
	free(d->loader);
}

/* Returns the directory of a command of the text.  Caller frees. */
static char *directory_of(const struct import_source *source, const struct command_place *place)
{
	if (place->path == NULL || *place->path == '\0')
		return mem_copy(source->directory);
	return shell_directory_join(source->directory, place->path);
}

/* Finds the host that the text is for: what the user has said, else what a plan would assume. */
static void find_host(const struct import_source *source, struct bhyve_host *host)
{
	struct spec spec = { 0 };

	if (source->release != NULL)
		spec.bhyve.release = strtol(source->release, NULL, 10);
	if (source->arch != NULL)
		spec.bhyve.arch = strcmp(source->arch, "arm64") == 0 ? ARCH_ARM64 : ARCH_AMD64;
	*host = bhyve_host_of(&spec);
}

/* Names what bhyve makes of the VM's name, and therefore differently for a new one. */
static void note_new_name(const struct tree_reader *r)
{
	for (const struct node *n = node_get(r->spec, "emulations")->first; n != NULL;
	     n = n->next) {
		const struct node *mac = node_get(n, "mac");

		if (mac != NULL && mac->kind == NODE_BOOL)
			words_addf(r->notes,
			    "%s at %s: without a \"mac\" bhyve makes the address of the VM's name, "
			    "so "
			    "it changes: write the address that the guest had",
			    node_get_text(n, "device"), node_get_text(n, "slot"));
	}
}

/* Names the screens for whose client bhyve waits at each start. */
static void note_wait(const struct tree_reader *r)
{
	for (const struct node *n = node_get(r->spec, "emulations")->first; n != NULL;
	     n = n->next) {
		const struct node *wait = node_get(n, "wait");

		if (wait != NULL && wait->kind == NODE_BOOL && wait->truth)
			words_addf(r->notes,
			    "%s at %s: wait: vmrun waits for a VNC client at the first boot only, "
			    "bhyve at each start",
			    node_get_text(n, "device"), node_get_text(n, "slot"));
	}
}

/* Puts the name of the VM into the spec; NULL: a file leaves it to the command that reads it. */
static void put_name(struct import *out, const char *name)
{
	import_put_name(out, name == NULL ? IMPORT_NAME : name);
	if (name == NULL)
		words_add(&out->notes,
		    "name: the file has no \"name\", so the spec calls the VM \"" IMPORT_NAME
		    "\": write the name that the bhyve command gave it; bhyve makes the MAC "
		    "address of an interface without \"mac\" from the name");
}

/* Names the line of the text in the problems from `first` on that have no place. */
static void place_problems(struct report *report, size_t first, const char *name, size_t line)
{
	for (size_t i = first; i < report->count; i++) {
		if (report->item[i].place == NULL)
			report->item[i].place = mem_format("%s:%zu", name, line);
	}
}

static void read_loader(struct tree_reader *r, const struct command_text *found, const char *vm)
{
	size_t before = r->report->count;

	loader_words_read(r, &found->loader, found->loader_input, vm);
	place_problems(r->report, before, found->name, found->loader_line);
}

/* Makes the spec of the variables; `found` has the text's loader, or is NULL. */
static void read_tree(struct tree_reader *r, struct import *out, const struct command_text *found)
{
	const char *name = pairs_get(r->tree, "name");
	bool has_rom =
	    pairs_get(r->tree, "bootrom") != NULL || pairs_get(r->tree, "lpc.bootrom") != NULL;
	bool has_loader = found != NULL && found->loader.count > 0;

	r->is_loaded = has_loader && !has_rom;
	put_name(out, name);
	tree_read_devices(r);
	note_wait(r);
	tree_read_machine(r);
	tree_drop_presets(r->spec, spec_fields);
	if (name != NULL && strcmp(name, node_get_text(r->spec, "name")) != 0)
		note_new_name(r);
	if (has_loader && !has_rom)
		read_loader(r, found, name == NULL ? "" : name);
	else if (has_loader)
		words_addf(r->notes,
		    "%s: left out: the firmware of the bhyve command loads the guest",
		    found->loader.item[0]);
}

/* Puts a list of words under a key of the spec. */
static void put_words(struct node *spec, const char *key, const struct words *words)
{
	struct node *list = node_new(NODE_LIST);

	for (size_t i = 0; i < words->count; i++)
		node_append(list, node_string(words->item[i]));
	node_put(spec, key, list);
}

/* Makes the spec of the variables that a command or a file sets; `found` is NULL for a file. */
static void make_spec(const struct directories *directories, struct bhyve_command *command,
    const struct bhyve_host *host, const struct command_text *found, struct import *out,
    struct report *report)
{
	struct tree_reader r = { .tree = &command->tree,
		.fwcfg = &command->fwcfg,
		.host = host,
		.directory = directories->command,
		.loader_directory = directories->loader,
		.is_file = found == NULL,
		.spec = out->spec,
		.notes = &out->notes,
		.report = report };

	words_append(&out->notes, &command->notes);
	tree_expand(&command->tree, &out->notes, report);
	if (report->count > 0)
		return;
	read_tree(&r, out, found);
	if (found != NULL && found->prefix.count > 0)
		put_words(out->spec, "prefix", &found->prefix);
	if (command->extra.count > 0)
		put_words(out->spec, "extra_options", &command->extra);
	if (report->count == 0)
		tree_check(&r);
}

/* Makes the spec of the command that was found, with relative paths below these directories. */
static void import_found(const struct command_text *found, const struct directories *directories,
    const struct bhyve_host *host, struct import *out, struct report *report)
{
	BHYVE_COMMAND_AUTO struct bhyve_command command = { 0 };
	size_t before = report->count;

	words_append(&out->notes, &found->notes);
	bhyve_argv_read(&command, &found->argv, host, directories->command, report);
	if (command.is_nameless)
		place_problems(report, report->count - 1, found->name, found->last_line);
	make_spec(directories, &command, host, found, out, report);
	place_problems(report, before, found->name, found->line);
}

/* Returns whether the spec is another one where the command, or its loader, runs elsewhere. */
static bool has_relative_paths(const struct command_text *found, const struct bhyve_host *host,
    const struct node *spec, bool of_loader)
{
	static const char *const elsewhere[] = { "/a", "/b" };
	struct str json[2] = { { 0 }, { 0 } };
	bool differs;

	for (size_t i = 0; i < 2; i++) {
		struct directories directories = { mem_copy(elsewhere[of_loader ? 0 : i]),
			mem_copy(elsewhere[of_loader ? i : 0]) };
		IMPORT_AUTO struct import import = { .spec = node_copy(spec) };
		REPORT_AUTO struct report report = { 0 };

		import_found(found, &directories, host, &import, &report);
		node_add_json(&json[i], import.spec);
		directories_free(&directories);
	}
	differs = strcmp(json[0].text, json[1].text) != 0;
	str_free(&json[0]);
	str_free(&json[1]);
	return differs;
}

/* Tells what the text does not tell of a directory in which relative paths start. */
static void tell_place(const struct command_place *place, const char *directory,
    struct words *notes, struct report *report)
{
	for (size_t i = 0; i < place->problem.count; i++)
		report_add(report, STATUS_SPEC, NULL, "%s", place->problem.item[i]);
	for (size_t i = 0; i < place->note.count; i++) {
		MEM_AUTO char *note = mem_format(
		    "%s: relative paths were taken to be below %s: change them in the spec if the "
		    "command runs in another directory",
		    place->note.item[i], directory);

		if (!words_have(notes, note))
			words_add(notes, note);
	}
}

/* Returns whether two commands run in the same directory, for the same reasons. */
static bool is_same_place(const struct command_place *a, const struct command_place *b)
{
	return strcmp(a->path, b->path) == 0 && words_equal(&a->problem, &b->problem) &&
	    words_equal(&a->note, &b->note);
}

static bool is_certain(const struct command_place *place)
{
	return place->problem.count == 0 && place->note.count == 0;
}

/* Tells of the directories in which relative paths of the command and of its loader start. */
static void tell_places(const struct command_text *found, const struct directories *directories,
    const struct bhyve_host *host, struct import *out, struct report *report)
{
	bool is_told =
	    !is_certain(&found->place) && has_relative_paths(found, host, out->spec, false);

	if (is_told)
		tell_place(&found->place, directories->command, &out->notes, report);
	if (found->loader.count > 0 && !is_certain(&found->loader_place) &&
	    !(is_told && is_same_place(&found->place, &found->loader_place)) &&
	    has_relative_paths(found, host, out->spec, true))
		tell_place(&found->loader_place, directories->loader, &out->notes, report);
}

int import_command(const struct import_source *source, struct import *out, struct report *report)
{
	struct command_text found = { 0 };
	const struct text_origin origin = { import_name(source), source->directory };
	struct bhyve_host host;
	size_t mark = strncmp(source->text, FOREIGN_MARK, strlen(FOREIGN_MARK)) == 0
	    ? strlen(FOREIGN_MARK)
	    : 0;

	find_host(source, &host);
	if (command_text_read(
		source->text + mark, source->length - mark, &origin, &found, report) == 0) {
		struct directories directories = { directory_of(source, &found.place),
			directory_of(source, &found.loader_place) };

		tell_places(&found, &directories, &host, out, report);
		import_found(&found, &directories, &host, out, report);
		directories_free(&directories);
	}
	command_text_free(&found);
	return report->count == 0 ? 0 : -1;
}

int import_bhyve_config(
    const struct import_source *source, struct import *out, struct report *report)
{
	BHYVE_COMMAND_AUTO struct bhyve_command command = { 0 };
	struct directories directories = { mem_copy(source->directory), NULL };
	struct bhyve_host host;

	find_host(source, &host);
	tree_read_file(&command.tree, source->text, source->length, import_name(source), report);
	make_spec(&directories, &command, &host, NULL, out, report);
	directories_free(&directories);
	return report->count == 0 ? 0 : -1;
}
