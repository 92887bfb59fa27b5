/*
 * One directory of vm-bhyve/ a case:
 *
 *	vm.conf		the guest; its path is taken to be /vm/NAME/NAME.conf
 *	spec.json, notes	what the import makes of it
 *	tree, tree.install	the configuration that vm-bhyve gives bhyve for it, at `vm start`
 *and at `vm install`; "*" is a value that vm-bhyve rolls
 *	loader, loader.install	the words that it gives the loader, where vmrun gives the same
 *
 * UPDATE=1 rewrites spec.json and notes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "base/node_json.h"
#include "base/str.h"
#include "config/foreign.h"
#include "import/vm_bhyve.h"
#include "planned_tree.h"

#define CASES SOURCE_DIR "/tests/import/vm-bhyve"
#define MIN_CASES 16

/* Returns the text of a file of the case, which the caller frees, or NULL. */
static char *read_case(const char *name, const char *file)
{
	MEM_AUTO char *path = mem_format(CASES "/%s/%s", name, file);
	FILE *f = fopen(path, "r");
	struct str s = { 0 };
	char bytes[4096];
	size_t n;

	if (f == NULL)
		return NULL;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		str_add_n(&s, bytes, n);
	(void)fclose(f);
	return str_take(&s);
}

static void write_case(const char *name, const char *file, const char *text)
{
	MEM_AUTO char *path = mem_format(CASES "/%s/%s", name, file);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Adds a tree as JSON for people: a member a line. */
static void add_pretty(struct str *s, const struct node *n, int depth)
{
	bool object = n->kind == NODE_OBJECT;

	if (n->first == NULL) {
		node_add_json(s, n);
		return;
	}
	str_add(s, object ? "{" : "[");
	for (const struct node *child = n->first; child != NULL; child = child->next) {
		str_addf(s, "%s\n%*s", child == n->first ? "" : ",", 2 * depth + 2, "");
		if (object) {
			str_add_json(s, child->key);
			str_add(s, ": ");
		}
		add_pretty(s, child, depth + 1);
	}
	str_addf(s, "\n%*s%s", 2 * depth, "", object ? "}" : "]");
}

/* Returns whether both have the same lines, but for values "*" in the first. */
static bool same_lines(const char *wanted, const char *got)
{
	while (*wanted != '\0' && *got != '\0') {
		size_t n = strcspn(wanted, "\n"), m = strcspn(got, "\n");
		bool any = n > 2 && memcmp(wanted + n - 2, "=*", 2) == 0;

		if (any ? strncmp(wanted, got, n - 1) != 0 : n != m || memcmp(wanted, got, n) != 0)
			return false;
		wanted += n + (wanted[n] == '\n' ? 1 : 0);
		got += m + (got[m] == '\n' ? 1 : 0);
	}
	return *wanted == *got;
}

/* Fails, and shows both texts; cmocka would cut them. */
static void differ(const char *name, const char *what, const char *wanted, const char *got)
{
	(void)fprintf(stderr, "%s, %s: expected:\n%s\ngot:\n%s\n", name, what, wanted, got);
	fail();
}

static void check_target(const char *name, const struct node *spec, const char *target)
{
	const char *suffix = strcmp(target, "install") == 0 ? ".install" : "";
	MEM_AUTO char *tree_file = mem_format("tree%s", suffix);
	MEM_AUTO char *loader_file = mem_format("loader%s", suffix);
	MEM_AUTO char *tree = read_case(name, tree_file), *loader = read_case(name, loader_file);
	struct planned_tree planned = { 0 };

	if (tree == NULL)
		fail_msg("%s: no %s", name, tree_file);
	planned_tree_make(&planned, spec, target);
	MEM_AUTO char *wanted = planned_tree_normal(tree);
	MEM_AUTO char *got = planned_tree_normal(planned.tree);

	if (!same_lines(wanted, got))
		differ(name, tree_file, wanted, got);
	if (loader != NULL && strcmp(loader, planned.loader) != 0)
		differ(name, loader_file, loader, planned.loader);
	planned_tree_free(&planned);
}

/* Compares a result with its file; with UPDATE=1, writes it. */
static void check_file(const char *name, const char *file, const char *wanted, const char *got)
{
	if (wanted != NULL && strcmp(wanted, got) == 0)
		return;
	if (getenv("UPDATE") == NULL)
		differ(name, file, wanted == NULL ? "" : wanted, got);
	write_case(name, file, got);
}

static void check_case(const char *name)
{
	MEM_AUTO char *directory = mem_format("/vm/%s", name);
	MEM_AUTO char *path = mem_format("%s/%s.conf", directory, name);
	MEM_AUTO char *text = read_case(name, "vm.conf");
	MEM_AUTO char *spec = read_case(name, "spec.json"), *notes = read_case(name, "notes");
	REPORT_AUTO struct report report = { 0 };
	struct import import = { 0 };
	struct import_source source = { .path = path, .directory = directory };
	struct str got = { 0 }, lines = { 0 };

	if (text == NULL)
		fail_msg("%s: no vm.conf", name);
	assert_string_equal(foreign_kind(text, strlen(text)), "a vm-bhyve configuration");
	source.text = text;
	source.length = strlen(text);
	if (import_text(&source, &import, &report) != 0)
		fail_msg("%s: %s: %s", name, report.item[0].path, report.item[0].text);
	add_pretty(&got, import.spec, 0);
	str_add(&got, "\n");
	for (size_t i = 0; i < import.notes.count; i++)
		str_addf(&lines, "%s\n", import.notes.item[i]);
	check_file(name, "spec.json", spec, got.text);
	check_file(name, "notes", notes, lines.text == NULL ? "" : lines.text);
	check_target(name, import.spec, "default");
	check_target(name, import.spec, "install");
	str_free(&got);
	str_free(&lines);
	node_free(import.spec);
	words_free(&import.notes);
}

static void test_cases(void **state)
{
	DIR *dir = opendir(CASES);
	const struct dirent *entry;
	size_t cases = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		check_case(entry->d_name);
		cases++;
	}
	(void)closedir(dir);
	assert_true(cases >= MIN_CASES);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
