/* From bhyve's command or file to the spec: its variables, and what stands around the command. */
#include "import/bhyve.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hyper/bhyve_plan.h"
#include "import/bhyve_argv.h"
#include "import/bhyve_tree.h"
#include "import/loader_words.h"
#include "import/tree_check.h"
#include "shell/command_text.h"

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

/* Makes the spec of the variables; `found` has the text's loader, or is NULL. */
static void read_tree(struct tree_reader *r, struct import *out, const struct command_text *found)
{
	const char *name = pairs_get(r->tree, "name");
	bool has_rom =
	    pairs_get(r->tree, "bootrom") != NULL || pairs_get(r->tree, "lpc.bootrom") != NULL;
	bool has_loader = found != NULL && found->loader.count > 0;

	r->is_loaded = has_loader && !has_rom;
	import_put_name(out, name == NULL ? IMPORT_NAME : name);
	tree_read_devices(r);
	tree_read_machine(r);
	tree_drop_presets(r->spec, spec_fields);
	if (name != NULL && strcmp(name, node_get_text(r->spec, "name")) != 0)
		note_new_name(r);
	if (has_loader && !has_rom)
		loader_words_read(r, &found->loader, found->loader_input, name == NULL ? "" : name);
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
static void make_spec(const struct import_source *source, struct bhyve_command *command,
    const struct bhyve_host *host, const struct command_text *found, struct import *out,
    struct report *report)
{
	struct tree_reader r = { .tree = &command->tree,
		.fwcfg = &command->fwcfg,
		.host = host,
		.directory = source->directory,
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

int import_command(const struct import_source *source, struct import *out, struct report *report)
{
	BHYVE_COMMAND_AUTO struct bhyve_command command = { 0 };
	struct command_text found = { 0 };
	struct bhyve_host host;

	find_host(source, &host);
	if (command_text_read(source->text, source->length, import_name(source), &found, report) ==
	    0) {
		words_append(&out->notes, &found.notes);
		bhyve_argv_read(&command, &found.argv, &host, source->directory, report);
		make_spec(source, &command, &host, &found, out, report);
	}
	command_text_free(&found);
	return report->count == 0 ? 0 : -1;
}

int import_bhyve_config(
    const struct import_source *source, struct import *out, struct report *report)
{
	BHYVE_COMMAND_AUTO struct bhyve_command command = { 0 };
	struct bhyve_host host;

	find_host(source, &host);
	tree_read_file(&command.tree, source->text, source->length, import_name(source), report);
	make_spec(source, &command, &host, NULL, out, report);
	return report->count == 0 ? 0 : -1;
}
