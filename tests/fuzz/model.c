/* The model of bhyve's argument rules (tests/fake), as a promise of the fuzzers. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/words.h"
#include "fake.h"
#include "fuzz.h"

/* Returns whether the spec has words or variables that vmrun passes on unread. */
static bool passes_words_on(const struct node *spec)
{
	static const char *const keys[] = { "extra_options", "config", "prefix" };
	const struct node *devices = node_get(spec, "emulations");
	const struct node *bhyve = node_get(spec, "bhyve");
	bool passes = bhyve != NULL && node_get(bhyve, "args") != NULL;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		passes = passes || node_get(spec, keys[i]) != NULL;
	for (const struct node *n = devices == NULL ? NULL : devices->first; n != NULL; n = n->next)
		passes = passes || strcmp(node_get_text(n, "device"), "raw") == 0;
	return passes;
}

/* Returns the host that the spec is for. */
static struct fake_host host_of(const struct node *spec)
{
	const struct node *bhyve = node_get(spec, "bhyve");
	const struct node *release = bhyve == NULL ? NULL : node_get(bhyve, "release");
	const char *arch = bhyve == NULL ? NULL : node_get_text(bhyve, "arch");
	struct fake_host host = { .max_cpus = 65535, .host_cpus = 1024, .no_files = true };

	host.arm64 = arch != NULL && strcmp(arch, "arm64") == 0;
	host.release = release != NULL && release->kind == NODE_INT ? (int)release->integer
	    : host.arm64					    ? 15
								    : 14;
	return host;
}

/*
 * Adds the command.  Without the file of a password, which only a run writes; each tapAUTO stands
 * for another tap.
 */
static void add_command(const struct vmrun *vm, struct words *argv)
{
	const char *const *all = vmrun_argv(vm);
	char letter = 'A';

	for (size_t i = 0; all[i] != NULL; i++) {
		if (strcmp(all[i], "-k") == 0 && strstr(all[i + 1], "/secret") != NULL) {
			i++;
			continue;
		}
		char *copy = mem_copy(all[i]), *found = strstr(copy, "tapAUTO");

		if (found != NULL)
			found[strlen("tapAUT")] = letter++;
		words_take(argv, copy);
	}
}

void model_check(const struct vmrun *vm)
{
	MEM_AUTO char *json = vmrun_spec_json(vm);
	NODE_AUTO struct node *spec = json_node(json);
	WORDS_AUTO struct words argv = { 0 };
	char message[1024] = "";
	struct fake_host host;
	struct fake_tree tree;
	int status;

	fuzz_check(spec != NULL, "a spec that is not JSON");
	if (passes_words_on(spec))
		return;
	host = host_of(spec);
	add_command(vm, &argv);
	fake_tree_init(&tree);
	status = fake_options(&host, (int)argv.count, argv.item, &tree, message, sizeof(message));
	if (status == 0)
		status = fake_start(&host, &tree, NULL, message, sizeof(message));
	fake_tree_fini(&tree);
	if (status == 0)
		return;
	MEM_AUTO char *command = words_shell_line(&argv);

	(void)fprintf(stderr, "%s\n%s\n%s\n", json, command, message);
	fuzz_check(false, "the model of bhyve refuses the command");
}
