/*
 * Imports: any text with a bhyve command, a file of bhyve_config(5), the .conf of a guest of
 * vm-bhyve.  The first byte chooses the format and the host; the text follows.
 *
 * Rooms: src/import src/shell
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/words.h"
#include "fuzz.h"
#include "vmrun/vmrun.h"

/* Returns the commands of a spec, its loader's first, or NULL.  Caller frees. */
static char *commands_of(const char *spec)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	MEM_AUTO char *loader = NULL;
	MEM_AUTO char *command = NULL;
	struct vmrun *vm;

	options.text = spec;
	options.length = strlen(spec);
	options.format = "json";
	options.hypervisor = "bhyve";
	options.directory = fuzz_directory();
	options.dry_run = true;
	if (vmrun_open(&vm, &options) == VMRUN_STATUS_OK && vmrun_prepare(vm) == VMRUN_STATUS_OK) {
		command = vmrun_command(vm);
		loader = vmrun_loader_command(vm);
	}
	vmrun_close(vm);
	fuzz_check(command != NULL, "an import that vmrun refuses");
	return mem_format(
	    "%s%s%s", loader == NULL ? "" : loader, loader == NULL ? "" : "\n", command);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Returns whether two commands have the same words, in any order. */
static bool are_same(const char *a, const char *b)
{
	WORDS_AUTO struct words one = { 0 }, other = { 0 };

	fuzz_check(words_split(&one, a) == NULL && words_split(&other, b) == NULL, "no words");
	qsort(one.item, one.count, sizeof(*one.item), by_text);
	qsort(other.item, other.count, sizeof(*other.item), by_text);
	return words_equal(&one, &other);
}

/* Imports commands, and returns those of the import.  Caller frees. */
static char *import_again(const struct vmrun_import_options *options, const char *commands)
{
	struct vmrun_import_options again = *options;
	MEM_AUTO char *spec = NULL;
	MEM_AUTO char *notes = NULL;
	MEM_AUTO char *why = NULL;

	again.text = commands;
	again.length = strlen(commands);
	again.format = "argv";
	if (vmrun_import(&again, &spec, &notes, &why) == VMRUN_STATUS_OK)
		return commands_of(spec);
	(void)fprintf(stderr, "%s\n%s\n", commands, why);
	fuzz_check(false, "refuses the command of an import");
	return NULL;
}

/* Checks that the commands of an import can be imported, and that this changes them no more. */
static void check_commands(const struct vmrun_import_options *options, const char *spec)
{
	MEM_AUTO char *commands = commands_of(spec);

	/*
	 * Only a run has what stands in place of a tap or a port; words that have no key are passed
	 * on to bhyve, which may refuse them.
	 */
	if (strstr(commands, "AUTO") != NULL || strstr(spec, "\"raw\"") != NULL ||
	    strstr(spec, "\"extra_options\"") != NULL)
		return;
	/* The first time may write them in another way: ahci,hd:PATH becomes ahci-hd,PATH. */
	MEM_AUTO char *once = import_again(options, commands);
	MEM_AUTO char *twice = import_again(options, once);

	if (!are_same(once, twice)) {
		(void)fprintf(stderr, "%s\n%s\n", once, twice);
		fuzz_check(false, "imports another command than it has made");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { NULL, "argv", "bhyve_config", "vm-bhyve" };
	static const char *const hosts[][3] = { { NULL }, { "bhyve.release=13", NULL },
		{ "bhyve.release=15", "bhyve.arch=arm64", NULL }, { "bhyve.arch=amd64", NULL } };
	struct fuzz_input in = { data, size };
	struct vmrun_import_options options = VMRUN_IMPORT_OPTIONS;
	unsigned choice = fuzz_byte(&in);
	size_t length = in.left;
	MEM_AUTO char *text = fuzz_text(&in, length);
	MEM_AUTO char *spec = NULL;
	MEM_AUTO char *notes = NULL;
	MEM_AUTO char *why = NULL;
	int status;

	fuzz_begin(FENCE_REFUSE);
	options.text = text;
	options.length = length;
	options.name = (choice & 16) != 0 ? "/vm/guest/guest.conf" : NULL;
	options.directory = fuzz_directory();
	options.format = formats[choice & 3];
	options.set = hosts[(choice >> 2) & 3];
	status = vmrun_import(&options, &spec, &notes, &why);
	fuzz_check((status == VMRUN_STATUS_OK) == (spec != NULL), "a status without its spec");
	fuzz_check((status == VMRUN_STATUS_OK) == (why == NULL), "a status without its problems");
	if (spec != NULL)
		check_commands(&options, spec);
	fuzz_end();
	return 0;
}
