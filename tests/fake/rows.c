/* Runs rows through the core. */
#include "rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_WORDS = 64, MAX_TEXT = 8192 };

char row_message[512];

struct fake_host row_host(const char *name)
{
	struct fake_host host = { .max_cpus = 64, .host_cpus = 64, .no_files = true };

	host.arm64 = strncmp(name, "arm", 3) == 0;
	host.release = atoi(host.arm64 ? name + 3 : name);
	return host;
}

/* Cuts `text` in place. */
static int split(char *text, char **argv)
{
	char *word, *next = NULL;
	int argc = 0;

	argv[argc++] = (char *)"bhyve";
	for (word = strtok_r(text, " ", &next); word != NULL; word = strtok_r(NULL, " ", &next)) {
		assert_true(argc < MAX_WORDS - 2);
		argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	return argc;
}

static int run(const struct fake_host *host, const char *words, bool named, struct fake_tree *tree,
    struct fake_machine *machine)
{
	char *argv[MAX_WORDS], *text = strdup(words);
	int argc = split(text, argv), status;

	if (named)
		argv[argc++] = (char *)"vm";
	argv[argc] = NULL;
	row_message[0] = '\0';
	status = fake_options(host, argc, argv, tree, row_message, sizeof(row_message));
	if (status == 0)
		status = fake_start(host, tree, machine, row_message, sizeof(row_message));
	free(text);
	return status;
}

int row_status_on(const struct fake_host *host, const char *words, struct fake_machine *machine)
{
	struct fake_tree tree;
	int status;

	fake_tree_init(&tree);
	status = run(host, words, true, &tree, machine);
	fake_tree_fini(&tree);
	return status;
}

int row_status(const char *name, const char *words)
{
	struct fake_host host = row_host(name);

	return row_status_on(&host, words, NULL);
}

int row_status_bare(const char *name, const char *words)
{
	struct fake_host host = row_host(name);
	struct fake_tree tree;
	int status;

	fake_tree_init(&tree);
	status = run(&host, words, false, &tree, NULL);
	fake_tree_fini(&tree);
	return status;
}

const char *row_tree(const char *name, const char *words)
{
	static char text[MAX_TEXT];
	struct fake_host host = row_host(name);
	struct fake_tree tree;
	FILE *to = fmemopen(text, sizeof(text), "w");
	char all[MAX_TEXT];

	assert_non_null(to);
	host.out = to;
	(void)snprintf(all, sizeof(all), "%s -o config.dump=1", words);
	fake_tree_init(&tree);
	if (run(&host, all, true, &tree, NULL) != 1)
		fail_msg("%s refused: %s", words, row_message);
	fake_tree_fini(&tree);
	assert_int_equal(fclose(to), 0);
	return text;
}

const char *row_value(const char *name, const char *words, const char *path)
{
	static char text[MAX_TEXT];
	struct fake_host host = row_host(name);
	struct fake_tree tree;
	const char *value;

	fake_tree_init(&tree);
	if (run(&host, words, true, &tree, NULL) != 0)
		fail_msg("%s refused: %s", words, row_message);
	value = fake_tree_expand(&tree, path, NULL);
	(void)snprintf(text, sizeof(text), "%s", value == NULL ? "(unset)" : value);
	fake_tree_fini(&tree);
	return text;
}

void check_rows(const struct row *rows, size_t n)
{
	size_t i, wrong = 0;

	for (i = 0; i < n; i++) {
		int status = row_status(rows[i].host, rows[i].words);

		if (status == rows[i].status)
			continue;
		print_error("%s: %s: status %d, not %d: %s\n", rows[i].host, rows[i].words, status,
		    rows[i].status, row_message);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

void check_tree_rows(const struct tree_row *rows, size_t n)
{
	size_t i, wrong = 0;

	for (i = 0; i < n; i++) {
		const char *tree = row_tree(rows[i].host, rows[i].words);

		if (strstr(tree, rows[i].lines) != NULL)
			continue;
		print_error(
		    "%s: %s: no\n%s\nin\n%s", rows[i].host, rows[i].words, rows[i].lines, tree);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}
