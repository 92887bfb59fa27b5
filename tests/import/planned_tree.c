/* Plans specs, and reads the commands as bhyve does. */
#include "planned_tree.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node_json.h"
#include "base/str.h"
#include "fake.h"
#include "plan/boot.h"

struct planning {
	struct words settings, extra;
	struct boot_source source;
	struct boot boot;
	struct report report;
};

static void ignore(void *context, const char *level, const char *text)
{
	(void)context;
	(void)level;
	(void)text;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Joins the words as sorted lines. */
static char *sorted(struct words *lines)
{
	struct str s = { 0 };

	if (lines->count > 0)
		qsort(lines->item, lines->count, sizeof(*lines->item), compare_lines);
	for (size_t i = 0; i < lines->count; i++)
		str_addf(&s, "%s\n", lines->item[i]);
	words_free(lines);
	return str_take(&s);
}

static void add_lines(struct words *lines, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		words_take(lines, mem_copy_n(text, n));
		text += n + (text[n] == '\n' ? 1 : 0);
	}
}

static void plan(struct planning *p, const char *json, const char *target)
{
	struct script_options limits = { .budget_ms = 5000,
		.memory_bytes = (size_t)64 << 20,
		.log = ignore,
		.hypervisor = "bhyve" };
	struct document_source source = { .text = json,
		.length = strlen(json),
		.name = "spec.json",
		.directory = "/elsewhere",
		.format = FORMAT_JSON };
	struct boot_facts facts = { 0 };

	words_add(&p->settings, "bhyve.release=14");
	words_add(&p->settings, "bhyve.arch=amd64");
	p->source.hyper = &hyper_bhyve;
	p->source.settings = &p->settings;
	p->source.extra = &p->extra;
	p->source.run_dir = "/run/vmrun";
	p->source.doc = document_load(&source, &limits, spec_merge_rules(), &p->report);
	if (p->source.doc != NULL)
		(void)boot_source_check(&p->source, &p->report);
	if (p->report.count == 0)
		(void)boot_prepare(&p->source, target, &facts, &p->boot, &p->report);
	if (p->report.count > 0)
		fail_msg("target %s is refused: %s: %s", target, p->report.item[0].path,
		    p->report.item[0].text);
}

/* Returns the command, with the lines of the file for the password as -o. */
static void read_command(const struct plan *plan, struct words *argv)
{
	for (size_t i = 0; i < plan->argv.count; i++) {
		WORDS_AUTO struct words secrets = { 0 };

		if (strcmp(plan->argv.item[i], "-k") != 0) {
			words_add(argv, plan->argv.item[i]);
			continue;
		}
		i++;
		add_lines(&secrets, plan->secret);
		for (size_t k = 0; k < secrets.count; k++) {
			words_add(argv, "-o");
			words_add(argv, secrets.item[k]);
		}
	}
}

static char *tree_of(const struct plan *plan)
{
	struct fake_host host = {
		.release = 14, .max_cpus = 65535, .host_cpus = 1024, .no_files = true
	};
	WORDS_AUTO struct words argv = { 0 };
	struct words lines = { 0 };
	struct fake_tree tree;
	char message[512] = "", *dump = NULL;
	size_t size;
	FILE *to = open_memstream(&dump, &size);

	assert_non_null(to);
	read_command(plan, &argv);
	fake_tree_init(&tree);
	if (fake_options(&host, (int)argv.count, argv.item, &tree, message, sizeof(message)) != 0)
		fail_msg("bhyve refuses the command: %s", message);
	fake_tree_dump(&tree, to);
	(void)fclose(to);
	fake_tree_fini(&tree);
	add_lines(&lines, dump);
	free(dump);
	return sorted(&lines);
}

void planned_tree_make(struct planned_tree *t, const struct node *spec, const char *target)
{
	struct planning p = { 0 };
	struct words loader = { 0 };
	struct str json = { 0 };

	node_add_json(&json, spec);
	plan(&p, json.text, target);
	t->tree = tree_of(&p.boot.plan);
	words_append(&loader, &p.boot.plan.loading.argv);
	t->loader = sorted(&loader);
	str_free(&json);
	boot_clear(&p.boot);
	boot_source_clear(&p.source);
	report_free(&p.report);
	words_free(&p.settings);
	words_free(&p.extra);
}

void planned_tree_free(struct planned_tree *t)
{
	free(t->tree);
	free(t->loader);
}

static unsigned long long memory_bytes(const char *text)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 0);
	const char *unit = strchr("kmgt", *end | 0x20);

	if (*end == '\0')
		return number < 1048576 ? number << 20 : number;
	assert_non_null(unit);
	return number << 10 * (unit - "kmgt" + 1);
}

/* What a line of the tree adds to the topology; false: it is none of the numbers. */
static bool add_topology(const char *line, long numbers[4])
{
	static const char *const keys[] = { "cpus=", "sockets=", "cores=", "threads=" };

	for (size_t i = 0; i < 4; i++) {
		const char *value = str_after(line, keys[i]);

		if (value != NULL) {
			numbers[i] = strtol(value, NULL, 0);
			return true;
		}
	}
	return false;
}

static void add_normal(struct words *out, const char *line)
{
	const char *tcp = strstr(line, ".tcp="), *memory = str_after(line, "memory.size=");

	if (memory != NULL)
		words_addf(out, "memory.size=%llu", memory_bytes(memory));
	else if (tcp != NULL)
		words_addf(out, "%.*s.rfb=%s", (int)(tcp - line), line, tcp + strlen(".tcp="));
	else
		words_add(out, line);
}

char *planned_tree_normal(const char *tree)
{
	WORDS_AUTO struct words lines = { 0 };
	struct words out = { 0 };
	long n[4] = { 0 };

	add_lines(&lines, tree);
	for (size_t i = 0; i < lines.count; i++) {
		if (!add_topology(lines.item[i], n))
			add_normal(&out, lines.item[i]);
	}
	if (n[1] == 0)
		n[1] = n[0] == 0 ? 1 : n[0];
	words_addf(&out, "topology=%ld,%ld,%ld", n[1], n[2] == 0 ? 1 : n[2], n[3] == 0 ? 1 : n[3]);
	return sorted(&out);
}
