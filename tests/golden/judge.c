/* Checks what bhyve reads. */
#include "judge.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_WORDS = 1024 };

/* Copies bhyve's own words: without a prefix, and without the file of secrets of a run. */
static int own_words(const char *const *argv, char **words)
{
	int n = 0;

	while (*argv != NULL && strcmp(*argv, "bhyve") != 0)
		argv++;
	for (; *argv != NULL && n < MOST_WORDS; argv++) {
		if (strcmp(*argv, "-k") == 0)
			argv++;
		else
			words[n++] = (char *)(uintptr_t)*argv;
	}
	return n;
}

int judge_start(const struct fake_host *host, const char *const *argv, char *message, size_t n)
{
	char *words[MOST_WORDS];
	struct fake_tree tree;
	int status;

	fake_tree_init(&tree);
	status = fake_options(host, own_words(argv, words), words, &tree, message, n);
	if (status == 0)
		status = fake_start(host, &tree, NULL, message, n);
	fake_tree_fini(&tree);
	return status;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the lines.  A value with line ends gives the same extra lines in every dump. */
static char *sorted(const char *text)
{
	char *copy = strdup(text), *rest = copy, *line, *lines[MOST_WORDS], *result = NULL;
	size_t n = 0, size;
	FILE *to = open_memstream(&result, &size);

	assert(copy != NULL && to != NULL);
	while ((line = strsep(&rest, "\n")) != NULL && n < MOST_WORDS)
		lines[n++] = line;
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(to, "%s\n", lines[i]);
	(void)fclose(to);
	free(copy);
	return result;
}

static char *read_tree(const struct fake_host *host, int argc, char **argv)
{
	char message[1024], *text = NULL, *result = NULL;
	struct fake_tree tree;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert(to != NULL);
	fake_tree_init(&tree);
	if (fake_options(host, argc, argv, &tree, message, sizeof(message)) == 0) {
		fake_tree_dump(&tree, to);
		(void)fflush(to);
		result = sorted(text);
	} else {
		(void)fprintf(stderr, "bhyve: %s\n", message);
	}
	(void)fclose(to);
	free(text);
	fake_tree_fini(&tree);
	return result;
}

char *judge_command(const struct fake_host *host, const char *const *argv)
{
	char *words[MOST_WORDS];

	return read_tree(host, own_words(argv, words), words);
}

char *judge_file(const struct fake_host *host, const char *text, const char *name)
{
	char path[] = "/tmp/golden.XXXXXX", *result;
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	char *argv[] = { (char *)(uintptr_t) "bhyve", (char *)(uintptr_t) "-k", path,
		(char *)(uintptr_t)name, NULL };

	assert(f != NULL);
	(void)fputs(text, f);
	(void)fclose(f);
	result = read_tree(host, 4, argv);
	(void)unlink(path);
	return result;
}
