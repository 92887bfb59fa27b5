/* Functions that the property tests share. */
#include "property.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/words.h"
#include "base/json_node.h"
#include "ignored.h"

#define SEED 19930401u

struct property_run property_run(int argc, char **argv, size_t rounds)
{
	const char *wanted = getenv("PROPERTY_ROUNDS");
	struct property_run run = { SEED, rounds };

	if (argc > 1)
		run.seed += (unsigned)strtoul(argv[1], NULL, 10);
	if (wanted != NULL)
		run.rounds = strtoul(wanted, NULL, 10);
	return run;
}

void property_give_up(const struct property_boot *b, const char *what, const char *detail)
{
	char *command = vmrun_command(b->vm);

	/* Not print_error() of cmocka, which truncates long texts. */
	(void)fprintf(stderr, "%s: %s\ntarget: %s\nspec: %s\ncommand: %s\n", what,
	    detail == NULL ? "(nothing)" : detail, b->target, b->json,
	    command == NULL ? "" : command);
	free(command);
	fail();
}

void property_print_problems(const struct property_boot *b)
{
	const struct vmrun_problem *p;

	for (size_t i = 0; (p = vmrun_problem(b->vm, i)) != NULL; i++)
		print_message("%s: %s\n", p->path, p->text);
}

bool property_open(struct property_boot *b, const char *json, const char *target)
{
	struct vmrun_options o = VMRUN_OPTIONS;

	memset(b, 0, sizeof(*b));
	b->json = json;
	b->target = target;
	o.text = json;
	o.length = strlen(json);
	o.directory = "/vm";
	o.format = "json";
	o.target = target;
	o.hypervisor = "bhyve";
	o.dry_run = true;
	fake_tree_init(&b->tree);
	return vmrun_open(&b->vm, &o) == 0 && vmrun_prepare(b->vm) == 0;
}

void property_close(struct property_boot *b)
{
	fake_tree_fini(&b->tree);
	vmrun_close(b->vm);
}

static void read_slot(struct property_boot *b, const char *text)
{
	char *slot = b->slot[b->slots++];

	assert_true(b->slots < PROPERTY_DEVICES_MAX);
	(void)snprintf(slot, sizeof(b->slot[0]), "%s", text);
	for (char *c = slot; *c != '\0'; c++)
		*c = *c == ':' ? '.' : *c;
}

/* Reads the host of the command and the slots of the devices from the resolved spec. */
static void read_spec(struct property_boot *b)
{
	char *json = vmrun_spec_json(b->vm);
	struct node *spec = json_node(json);
	const struct node *bhyve = node_get(spec, "bhyve"), *devices = node_get(spec, "emulations");
	const struct node *release = node_get(bhyve, "release");
	const char *arch = node_get_text(bhyve, "arch");

	b->arm64 = arch != NULL && strcmp(arch, "arm64") == 0;
	b->release = b->arm64 ? 15 : 14;
	if (release != NULL && release->kind == NODE_INT)
		b->release = (int)release->integer;
	for (const struct node *n = devices == NULL ? NULL : devices->first; n != NULL; n = n->next)
		read_slot(b, node_get_text(n, "slot"));
	node_free(spec);
	free(json);
}

/* Checks that all slots differ, and that a guest finds each. */
static void check_slots(struct property_boot *b)
{
	for (size_t i = 0; i < b->slots; i++) {
		MEM_AUTO char *zero = mem_format(
		    "pci.%.*s.0.device", (int)(strrchr(b->slot[i], '.') - b->slot[i]), b->slot[i]);

		if (fake_tree_get(&b->tree, zero) == NULL)
			property_give_up(b, "a slot without function 0", b->slot[i]);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(b->slot[i], b->slot[k]) == 0)
				property_give_up(b, "two devices at", b->slot[i]);
		}
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *property_dump(const struct fake_tree *tree)
{
	struct words lines = { 0 };
	struct str sorted = { 0 };
	char *dump = NULL, *rest;
	size_t size;
	FILE *to = open_memstream(&dump, &size);

	assert_non_null(to);
	fake_tree_dump(tree, to);
	(void)fclose(to);
	for (const char *line = strtok_r(dump, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		words_add(&lines, line);
	qsort(lines.item, lines.count, sizeof(*lines.item), compare_lines);
	for (size_t i = 0; i < lines.count; i++)
		str_addf(&sorted, "%s\n", lines.item[i]);
	words_free(&lines);
	free(dump);
	return str_take(&sorted);
}

static struct fake_host host_of(const struct property_boot *b)
{
	return (struct fake_host){ .release = b->release,
		.arm64 = b->arm64,
		.max_cpus = 65535,
		.host_cpus = 1024,
		.no_files = true };
}

/*
 * Adds a word.  Each placeholder stands for a different tap, so the second and later placeholders
 * get another last letter.
 */
static void add_word(struct words *argv, const char *word, char *letter)
{
	char *copy = mem_copy(word), *found = strstr(copy, "tapAUTO");

	if (found != NULL)
		found[6] = (*letter)++;
	words_take(argv, copy);
}

/* Checks that the file for -k has the variables of the command. */
static void check_config_file(struct property_boot *b, const char *wanted)
{
	struct fake_host host = host_of(b);
	struct words argv = { 0 };
	struct fake_tree tree;
	char message[1024] = "", *text = vmrun_bhyve_config(b->vm), *rest, letter = 'O';

	if (text == NULL) {
		/* A value with a line end, which the file cannot hold. */
		if (strchr(wanted, '\n') == NULL || strstr(b->json, "\\n") == NULL)
			property_give_up(b, "no file for -k", NULL);
		return;
	}
	words_add(&argv, "bhyve");
	for (const char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (*line == '#')
			continue;
		words_add(&argv, "-o");
		add_word(&argv, line, &letter);
	}
	fake_tree_init(&tree);
	if (fake_options(&host, (int)argv.count, argv.item, &tree, message, sizeof(message)) != 0)
		property_give_up(b, "bhyve refuses the file for -k", message);
	MEM_AUTO char *got = property_dump(&tree);

	if (strcmp(got, wanted) != 0) {
		(void)fprintf(stderr, "the command:\n%s", wanted);
		property_give_up(b, "the file for -k says something else", got);
	}
	fake_tree_fini(&tree);
	words_free(&argv);
	free(text);
}

/* Reads the command without the file in which a run would have the password. */
static void read_command(const struct property_boot *b, struct words *argv)
{
	const char *const *all = vmrun_argv(b->vm);
	char letter = 'O';

	for (size_t i = 0; all[i] != NULL; i++) {
		if (strcmp(all[i], "-k") == 0 && strstr(all[i + 1], "/secret") != NULL)
			i++;
		else
			add_word(argv, all[i], &letter);
	}
}

void property_check(struct property_boot *b, bool verbatim)
{
	struct words argv = { 0 };
	char message[1024] = "";
	struct fake_host host;
	MEM_AUTO char *dump = NULL, *ignored = NULL;
	int status;

	read_spec(b);
	host = host_of(b);
	read_command(b, &argv);
	status =
	    fake_options(&host, (int)argv.count, argv.item, &b->tree, message, sizeof(message));
	dump = property_dump(&b->tree);
	if (status == 0)
		status = fake_start(&host, &b->tree, NULL, message, sizeof(message));
	if (status != 0)
		property_give_up(b, "bhyve refuses what vmrun accepts", message);
	check_slots(b);
	ignored = ignored_line(dump, b->arm64);
	if (ignored != NULL && strstr(b->json, "\\n") == NULL)
		property_give_up(b, "bhyve would ignore", ignored);
	if (!verbatim)
		check_config_file(b, dump);
	words_free(&argv);
}
