/* Loads documents from texts and files. */
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define TEMPLATE "/tmp/vmrun-test-XXXXXX"
char directory[sizeof(TEMPLATE)];

int directory_make(void **state)
{
	(void)state;
	memcpy(directory, TEMPLATE, sizeof(directory));
	return mkdtemp(directory) == NULL ? -1 : 0;
}

int directory_remove(void **state)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	(void)state;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		MEM_AUTO char *path = mem_format("%s/%s", directory, entry->d_name);

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)remove(path);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return rmdir(directory);
}

char *directory_write(const char *name, const char *bytes, size_t length)
{
	char *path = mem_format("%s/%s", directory, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void no_log(void *context, const char *level, const char *text)
{
	(void)context;
	(void)level;
	(void)text;
}

struct document *load(const struct document_source *source, struct report *report)
{
	struct script_options options = {
		.budget_ms = 5000, .memory_bytes = 64 << 20, .log = no_log, .hypervisor = "bhyve"
	};

	return document_load(source, &options, spec_merge_rules(), report);
}

struct document *load_text(const char *text)
{
	struct document_source source = { .text = text,
		.length = strlen(text),
		.name = *text == '{' ? "vm.json" : "vm.lua",
		.directory = "/specs" };
	struct report report = { 0 };
	struct document *doc = load(&source, &report);
	MEM_AUTO char *problems = placed_problems(&report);

	if (doc == NULL || *problems != '\0')
		fail_msg("%s", problems);
	return doc;
}

char *placed_problems(struct report *report)
{
	struct str s = { 0 };

	for (size_t i = 0; i < report->count; i++) {
		const struct problem *p = &report->item[i];

		str_addf(&s, "%s: %s: %s\n", p->place == NULL ? "" : p->place,
		    p->path == NULL ? "" : p->path, p->text);
	}
	report_free(report);
	return str_take(&s);
}
