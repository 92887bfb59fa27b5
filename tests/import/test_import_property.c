/*
 * Thousands of random specs: the import of the command, and of the file for bhyve -k, gives a spec
 * from which bhyve reads the same variables, by the rows and not by `config`.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/json_node.h"
#include "base/str.h"
#include "base/words.h"
#include "planned_tree.h"
#include "../hyper/property.h"
#include "../hyper/random_spec.h"

#define ROUNDS 1500
#define FIRST_FILLED 107 /* in the place of a placeholder: no random spec has such a number */

static struct property_run run;

/* Returns a text with names that a run could fill in for the placeholders; *number counts them. */
static char *filled(const char *text, int *number)
{
	struct str s = { 0 };
	const char *at;

	while ((at = strstr(text, "AUTO")) != NULL) {
		str_add_n(&s, text, (size_t)(at - text));
		str_addf(&s, "%d", (*number)++);
		text = at + 4;
	}
	str_add(&s, text);
	return str_take(&s);
}

/* Returns the tree that bhyve reads from words, as sorted lines. */
static char *tree_of(const struct property_boot *b, const struct words *argv)
{
	struct fake_host host = { .release = b->release,
		.arm64 = b->arm64,
		.max_cpus = 65535,
		.host_cpus = 1024,
		.no_files = true };
	struct fake_tree tree;
	char message[1024] = "", *dump;

	fake_tree_init(&tree);
	if (fake_options(&host, (int)argv->count, argv->item, &tree, message, sizeof(message)) != 0)
		property_give_up(b, "bhyve refuses the words", message);
	dump = property_dump(&tree);
	fake_tree_fini(&tree);
	return dump;
}

/* Returns the spec that the text is imported as, or NULL with the reason in *why. */
static char *import(const struct property_boot *b, const char *text, const char *format, char **why)
{
	struct vmrun_import_options options = VMRUN_IMPORT_OPTIONS;
	MEM_AUTO char *release = mem_format("bhyve.release=%d", b->release);
	const char *const set[] = { release, b->arm64 ? "bhyve.arch=arm64" : "bhyve.arch=amd64",
		NULL };
	char *spec = NULL, *notes = NULL;

	options.text = text;
	options.length = strlen(text);
	options.directory = "/vm";
	options.format = format;
	options.set = set;
	(void)vmrun_import(&options, &spec, &notes, why);
	free(notes);
	return spec;
}

static void give_up(
    const struct property_boot *b, const char *text, const char *what, const char *detail)
{
	(void)fprintf(stderr, "imported from: %s\n", text);
	property_give_up(b, what, detail);
}

/* Checks that a spec sets by its keys what the words of the text set. */
static void check_same(const struct property_boot *a, const struct words *argv, const char *text,
    const char *spec, bool has_config)
{
	NODE_AUTO struct node *document = json_node(spec);
	MEM_AUTO char *dump_a = tree_of(a, argv);
	struct property_boot b;

	if (node_get(document, "config") != NULL && !has_config)
		give_up(a, text, "a variable that no row reads", spec);
	if (!property_open(&b, spec, "default"))
		give_up(a, text, "the imported spec is refused", spec);
	property_check(&b, true);
	MEM_AUTO char *dump_b = property_dump(&b.tree);
	MEM_AUTO char *wanted = planned_tree_normal(dump_a), *got = planned_tree_normal(dump_b);

	if (strcmp(wanted, got) != 0) {
		(void)fprintf(stderr, "wanted:\n%sgot:\n%s", wanted, got);
		give_up(a, text, "other variables", spec);
	}
	property_close(&b);
}

/* Imports a text, for which bhyve would have the words.  Returns whether it was imported. */
static bool check_text(const struct property_boot *a, const struct random_spec *spec,
    const char *text, const struct words *argv, const char *format)
{
	MEM_AUTO char *why = NULL;
	MEM_AUTO char *imported = import(a, text, format, &why);
	bool has_config = strstr(spec->json.text, "\"config\"") != NULL || spec->verbatim;

	if (imported != NULL)
		check_same(a, argv, text, imported, has_config);
	else if (!spec->verbatim)
		give_up(a, text, "the import is refused", why);
	return imported != NULL;
}

/* Drops the words before the program. */
static void drop_prefix(struct words *argv)
{
	struct words command = { 0 };
	size_t i = 0;

	while (strcmp(argv->item[i], "bhyve") != 0)
		i++;
	for (; i < argv->count; i++)
		words_add(&command, argv->item[i]);
	words_free(argv);
	*argv = command;
}

/* Imports the command of a boot, without the option for the file of a password. */
static bool check_command(const struct property_boot *a, const struct random_spec *spec)
{
	MEM_AUTO char *loader = vmrun_loader_command(a->vm);
	WORDS_AUTO struct words argv = { 0 };
	const char *const *all = vmrun_argv(a->vm);
	STR_AUTO struct str text = { 0 };
	int number = FIRST_FILLED;

	for (size_t i = 0; all[i] != NULL; i++) {
		if (strcmp(all[i], "-k") == 0 && strstr(all[i + 1], "/secret") != NULL)
			i++;
		else
			words_take(&argv, filled(all[i], &number));
	}
	MEM_AUTO char *line = words_shell_line(&argv);

	number = FIRST_FILLED;
	if (loader != NULL) {
		MEM_AUTO char *before = filled(loader, &number);

		str_addf(&text, "%s\n", before);
	}
	str_add(&text, line);
	drop_prefix(&argv);
	return check_text(a, spec, text.text, &argv, "argv");
}

/* Imports the file for bhyve -k.  Returns whether it was imported. */
static bool check_file(const struct property_boot *a, const struct random_spec *spec)
{
	MEM_AUTO char *file = vmrun_bhyve_config(a->vm);
	WORDS_AUTO struct words argv = { 0 };
	char *rest;
	int number = FIRST_FILLED;

	if (file == NULL ||
	    spec->verbatim) /* a value has a line end, or words are not in the file */
		return false;
	MEM_AUTO char *text = filled(file, &number), *lines = mem_copy(text);

	words_add(&argv, "bhyve");
	for (const char *line = strtok_r(lines, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (*line == '#')
			continue;
		words_add(&argv, "-o");
		words_add(&argv, line);
	}
	return check_text(a, spec, text, &argv, "bhyve_config");
}

/* Imports both texts of one boot.  Returns how many were imported. */
static size_t check_boot(const struct random_spec *spec, const char *target)
{
	static struct property_boot a;
	size_t imported = 0;

	if (property_open(&a, spec->json.text, target)) {
		property_check(&a, spec->verbatim); /* finds the release, too */
		imported = (check_command(&a, spec) ? 1U : 0U) + (check_file(&a, spec) ? 1U : 0U);
	}
	property_close(&a);
	return imported;
}

static void test_random_specs(void **state)
{
	static struct random_spec spec;
	size_t imported = 0;

	(void)state;
	random_seed(run.seed);
	for (size_t i = 0; i < run.rounds; i++) {
		random_spec_make(&spec);
		imported += check_boot(&spec, i % 2 == 0 ? "default" : "t");
		random_spec_free(&spec);
	}
	print_message("seed %u: %zu specs, %zu texts imported\n", run.seed, run.rounds, imported);
	/* The test would prove nothing if most specs were refused. */
	assert_true(imported > run.rounds);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_specs),
	};

	run = property_run(argc, argv, ROUNDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
