/*
 * Runs the fuzzers over the files of their corpora without libFuzzer, which only clang has, so that
 * every input that once led to a fault is a test in every build.
 *
 *	replay CORPUS		CORPUS/NAME/... are the files of the fuzzer NAME
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"

typedef int fuzzer(const uint8_t *data, size_t size);

/* CMakeLists.txt gives each fuzzer the name that it has here. */
fuzzer fuzz_client, fuzz_console, fuzz_control, fuzz_document, fuzz_history, fuzz_import, fuzz_lua,
    fuzz_qmp, fuzz_record;

static const struct {
	const char *name;
	fuzzer *run;
} fuzzers[] = {
	{ "client", fuzz_client },
	{ "console", fuzz_console },
	{ "control", fuzz_control },
	{ "document", fuzz_document },
	{ "history", fuzz_history },
	{ "import", fuzz_import },
	{ "lua", fuzz_lua },
	{ "qmp", fuzz_qmp },
	{ "record", fuzz_record },
};

#define MAX_CORPORA (100 * 1024) /* bytes of all files */
#define FUZZERS (sizeof(fuzzers) / sizeof(*fuzzers))

static size_t total; /* bytes of the files so far */

static void run_file(fuzzer *run, const char *path)
{
	FILE *file = fopen(path, "r");
	uint8_t *bytes;
	long size;

	(void)fprintf(stderr, "%s\n", path);
	fuzz_check(file != NULL && fseek(file, 0, SEEK_END) == 0, "cannot read this file");
	size = ftell(file);
	fuzz_check(size >= 0, "cannot read this file");
	/* No byte more, so that a sanitizer sees a read beyond the end. */
	bytes = malloc(size == 0 ? 1 : (size_t)size);
	rewind(file);
	fuzz_check(bytes != NULL && fread(bytes, 1, (size_t)size, file) == (size_t)size,
	    "cannot read this file");
	(void)fclose(file);
	(void)run(bytes, (size_t)size);
	total += (size_t)size;
	free(bytes);
}

/* Returns how many files the directory has. */
static size_t run_directory(fuzzer *run, const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		MEM_AUTO char *file = mem_format("%s/%s", path, entry->d_name);

		if (*entry->d_name == '.')
			continue;
		run_file(run, file);
		count++;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return count;
}

/* Returns whether each directory of the corpus belongs to a fuzzer. */
static bool all_known(const char *corpus)
{
	DIR *dir = opendir(corpus);
	const struct dirent *entry;
	bool good = dir != NULL;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		bool known = *entry->d_name == '.';

		for (size_t i = 0; i < FUZZERS; i++)
			known = known || strcmp(entry->d_name, fuzzers[i].name) == 0;
		if (!known)
			(void)fprintf(stderr, "%s/%s: no such fuzzer\n", corpus, entry->d_name);
		good = good && known;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return good;
}

int main(int argc, char **argv)
{
	if (argc != 2 || !all_known(argv[1]))
		return 1;
	for (size_t i = 0; i < FUZZERS; i++) {
		MEM_AUTO char *path = mem_format("%s/%s", argv[1], fuzzers[i].name);
		size_t count = run_directory(fuzzers[i].run, path);

		(void)printf("%s: %zu files\n", fuzzers[i].name, count);
		if (count == 0)
			return 1;
	}
	if (total > MAX_CORPORA)
		(void)printf(
		    "%zu bytes, at most %d: make the inputs smaller\n", total, MAX_CORPORA);
	return total > MAX_CORPORA ? 1 : 0;
}
