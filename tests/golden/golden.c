/*
 * One golden case: a directory with a spec, and the results of vmrun.
 *
 *	spec.json or spec.lua
 *	variants	one per line: NAME and options (hypervisor= target= set= asis); without this
 *			file "bhyve hypervisor=bhyve" and "qemu hypervisor=qemu"
 *	argv.NAME	the words of the command, one per line, if the spec is accepted
 *	loader.NAME	the words of the loader, if there is one
 *	notes.NAME	the notes, if any
 *	unknown.NAME	the placeholders for values that only a run knows, if any
 *	errors.NAME	the problems, if the spec is refused; "errors" if all variants have the same
 *
 * UPDATE=1 rewrites the expected files.  fakebhyve's parser reads bhyve's commands and the file for
 * bhyve -k, too, and the resolved spec must give the same command again.
 */
#include <assert.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "vmrun/vmrun.h"

#define DIRECTORY "/vm" /* the directory that relative paths of the specs start from */
enum { MAX_VARIANTS = 12, MAX_SETTINGS = 16, PATH_SIZE = 2048 };

struct variant {
	char *name;
	const char *hypervisor, *target;
	const char *set[MAX_SETTINGS];
	size_t settings;
	bool asis; /* without the settings that make a command the same on every host */
	char *argv, *loader, *notes, *unknown, *errors;
};

struct golden {
	const char *directory; /* the directory of the case */
	char *spec;
	size_t length;
	bool lua;
	char *list; /* the text of the file `variants` */
	struct variant variant[MAX_VARIANTS];
	size_t variants;
	bool failed;
};

static void die(const char *what, const char *name)
{
	(void)fprintf(stderr, "golden: %s %s\n", what, name);
	exit(2);
}

static const char *in(const struct golden *g, const char *file)
{
	static char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", g->directory, file);
	return path;
}

/* Returns the text of a file, which the caller frees, or NULL if the file does not exist. */
static char *read_file(const char *path, size_t *length)
{
	FILE *f = fopen(path, "r");
	char *text = NULL, bytes[4096];
	size_t n, size = 0;
	FILE *to;

	if (f == NULL)
		return NULL;
	to = open_memstream(&text, &size);
	assert(to != NULL);
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		(void)fwrite(bytes, 1, n, to);
	(void)fclose(to);
	(void)fclose(f);
	if (length != NULL)
		*length = size;
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		die("cannot write", path);
}

static void read_option(struct variant *v, const char *word)
{
	if (strncmp(word, "hypervisor=", 11) == 0)
		v->hypervisor = word + 11;
	else if (strncmp(word, "target=", 7) == 0)
		v->target = word + 7;
	else if (strncmp(word, "set=", 4) == 0 && v->settings + 1 < MAX_SETTINGS)
		v->set[v->settings++] = word + 4;
	else if (strcmp(word, "asis") == 0)
		v->asis = true;
	else
		die("unknown option", word);
}

/* Adds settings that make the command the same on every host: the release, and no KVM. */
static void add_defaults(struct variant *v)
{
	static const char *const bhyve[] = { "bhyve.release=14", "bhyve.arch=amd64" };
	static const char *const qemu[] = { "qemu.accel=tcg" };
	bool is_bhyve = strcmp(v->hypervisor, "bhyve") == 0;
	const char *const *set = is_bhyve ? bhyve : qemu;

	for (size_t i = 0; i < (is_bhyve ? 2 : 1); i++)
		v->set[v->settings++] = set[i];
}

static void read_variants(struct golden *g)
{
	char *line, *rest;

	g->list = read_file(in(g, "variants"), NULL);
	if (g->list == NULL)
		g->list = strdup("bhyve hypervisor=bhyve\nqemu hypervisor=qemu\n");
	rest = g->list;
	while ((line = strsep(&rest, "\n")) != NULL) {
		struct variant *v = &g->variant[g->variants];
		char *word;

		if (*line == '\0' || *line == '#')
			continue;
		if (g->variants == MAX_VARIANTS)
			die("too many variants in", g->directory);
		g->variants++;
		v->name = strsep(&line, " ");
		v->hypervisor = strncmp(v->name, "qemu", 4) == 0 ? "qemu" : "bhyve";
		if (strstr(line == NULL ? "" : line, "asis") == NULL)
			add_defaults(v);
		while ((word = strsep(&line, " ")) != NULL)
			read_option(v, word);
	}
}

static char *problems(const struct vmrun *vm)
{
	const struct vmrun_problem *p;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert(to != NULL);
	for (size_t i = 0; (p = vmrun_problem(vm, i)) != NULL; i++)
		(void)fprintf(to, "%s%s%s%s%s\n", p->place == NULL ? "" : p->place,
		    p->place == NULL ? "" : ": ", p->path == NULL ? "" : p->path,
		    p->path == NULL ? "" : ": ", p->text);
	(void)fclose(to);
	return text;
}

static char *lines(const char *const *words)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert(to != NULL);
	for (; *words != NULL; words++)
		(void)fprintf(to, "%s\n", *words);
	(void)fclose(to);
	return text;
}

static bool has_setting(const struct variant *v, const char *setting)
{
	for (size_t i = v->settings; i > 0; i--) {
		if (strncmp(v->set[i - 1], "bhyve.release=", 14) == 0 &&
		    strncmp(setting, "bhyve.release=", 14) == 0)
			return strcmp(v->set[i - 1], setting) == 0;
		if (strcmp(v->set[i - 1], setting) == 0)
			return true;
	}
	return false;
}

static struct fake_host host_of(const struct variant *v)
{
	struct fake_host host = {
		.release = 14, .max_cpus = 64, .host_cpus = 64, .no_files = true
	};

	for (int release = 13; release <= 15; release++) {
		char setting[32];

		(void)snprintf(setting, sizeof(setting), "bhyve.release=%d", release);
		if (has_setting(v, setting))
			host.release = release;
	}
	host.arm64 = has_setting(v, "bhyve.arch=arm64");
	return host;
}

/* Checks that bhyve would accept the command. */
static void ask_fakebhyve(struct golden *g, const struct variant *v, const char *const *argv)
{
	struct fake_host host = host_of(v);
	char message[1024] = "";
	int status = judge_start(&host, argv, message, sizeof(message));

	if (status != 0) {
		(void)fprintf(
		    stderr, "%s: bhyve would end with status %d: %s\n", v->name, status, message);
		g->failed = true;
	}
}

/* Checks that the file for bhyve -k has the variables of the command, except those it lists. */
static void compare_trees(struct golden *g, const struct variant *v, struct vmrun *vm)
{
	struct fake_host host = host_of(v);
	const char *const *argv = vmrun_argv(vm);
	char *config = vmrun_bhyve_config(vm), *said, *read;
	size_t words = 0;

	while (argv[words] != NULL)
		words++;
	if (config == NULL) {
		(void)fprintf(stderr, "%s: no file for bhyve -k\n", v->name);
		g->failed = true;
		return;
	}
	said = judge_command(&host, argv);
	read = judge_file(&host, config, argv[words - 1]);
	if (said == NULL || read == NULL ||
	    (*vmrun_bhyve_words(vm) == NULL && strcmp(said, read) != 0)) {
		(void)fprintf(
		    stderr, "%s: the command says\n%sand the file\n%s", v->name, said, read);
		g->failed = true;
	}
	free(config);
	free(said);
	free(read);
}

/* Checks that the output of --debug is a spec that gives the same command. */
static void come_back(struct golden *g, const struct variant *v, struct vmrun *vm)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	char *spec = vmrun_spec_json(vm), *wanted = vmrun_command(vm), *got;
	struct vmrun *again;

	options.text = spec;
	options.length = strlen(spec);
	options.directory = "/elsewhere";
	options.format = "json";
	options.hypervisor = v->hypervisor;
	options.dry_run = true;
	options.run_dir = "/run/vmrun";
	got = vmrun_open(&again, &options) == 0 && vmrun_prepare(again) == 0 ? vmrun_command(again)
									     : problems(again);
	if (strcmp(got, wanted) != 0) {
		(void)fprintf(stderr, "%s: the resolved spec gives\n%s\ninstead of\n%s\n%s\n",
		    v->name, got, wanted, spec);
		g->failed = true;
	}
	vmrun_close(again);
	free(spec);
	free(wanted);
	free(got);
}

static void make(struct golden *g, struct variant *v)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;

	options.text = g->spec;
	options.length = g->length;
	options.name = g->lua ? "spec.lua" : "spec.json";
	options.directory = DIRECTORY;
	options.format = g->lua ? "lua" : "json";
	options.target = v->target;
	options.set = v->set;
	options.hypervisor = v->hypervisor;
	options.dry_run = true;
	options.run_dir = "/run/vmrun";
	if (vmrun_open(&vm, &options) == 0 && vmrun_prepare(vm) == 0) {
		v->argv = lines(vmrun_argv(vm));
		v->loader = vmrun_loader_command(vm);
		v->notes = lines(vmrun_notes(vm));
		v->unknown = lines(vmrun_placeholders(vm));
		come_back(g, v, vm);
		if (strcmp(v->hypervisor, "bhyve") == 0 && !v->asis) {
			ask_fakebhyve(g, v, vmrun_argv(vm));
			compare_trees(g, v, vm);
		}
	} else {
		v->errors = problems(vm);
	}
	vmrun_close(vm);
}

/* Returns whether all variants are refused with the same problems. */
static bool all_alike(const struct golden *g)
{
	for (size_t i = 0; i < g->variants; i++) {
		if (g->variant[i].errors == NULL || g->variant[0].errors == NULL ||
		    strcmp(g->variant[i].errors, g->variant[0].errors) != 0)
			return false;
	}
	return g->variants > 1;
}

static void show_difference(const char *path, const char *text)
{
	char actual[] = "/tmp/golden.XXXXXX", command[PATH_SIZE * 2];
	int fd = mkstemp(actual);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (f == NULL)
		die("cannot write", actual);
	(void)fputs(text, f);
	(void)fclose(f);
	(void)fflush(stderr);
	(void)snprintf(command, sizeof(command), "diff -u '%s' '%s' >&2",
	    access(path, R_OK) == 0 ? path : "/dev/null", actual);
	(void)!system(command);
	(void)unlink(actual);
}

/* Compares a file with the text; NULL: the file must not exist. */
static void compare(struct golden *g, const char *kind, const char *name, const char *text)
{
	char file[128], *expected;
	const char *path;

	(void)snprintf(file, sizeof(file), "%s%s%s", kind, *name == '\0' ? "" : ".", name);
	path = in(g, file);
	expected = read_file(path, NULL);
	if (getenv("UPDATE") != NULL) {
		if (text == NULL)
			(void)unlink(path);
		else
			write_file(path, text);
	} else if (text == NULL && expected != NULL) {
		(void)fprintf(stderr, "%s: nothing makes this any more\n", path);
		g->failed = true;
	} else if (text != NULL && (expected == NULL || strcmp(expected, text) != 0)) {
		(void)fprintf(stderr, "%s: not as expected (UPDATE=1 takes it)\n", path);
		show_difference(path, text);
		g->failed = true;
	}
	free(expected);
}

static const char *unless_empty(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

static void compare_all(struct golden *g)
{
	bool alike = all_alike(g);

	compare(g, "errors", "", alike ? g->variant[0].errors : NULL);
	for (size_t i = 0; i < g->variants; i++) {
		struct variant *v = &g->variant[i];

		compare(g, "argv", v->name, v->argv);
		compare(g, "loader", v->name, v->loader);
		compare(g, "notes", v->name, unless_empty(v->notes));
		compare(g, "unknown", v->name, unless_empty(v->unknown));
		compare(g, "errors", v->name, alike ? NULL : v->errors);
	}
}

/* Reports files of variants that do not exist any more. */
static void find_strangers(struct golden *g)
{
	DIR *dir = opendir(g->directory);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		const char *dot = strchr(entry->d_name, '.');
		bool known =
		    dot == NULL || strncmp(entry->d_name, "spec.", 5) == 0 || dot == entry->d_name;

		for (size_t i = 0; !known && i < g->variants; i++)
			known = strcmp(dot + 1, g->variant[i].name) == 0;
		if (!known) {
			(void)fprintf(stderr, "%s: of no variant\n", in(g, entry->d_name));
			g->failed = true;
		}
	}
	if (dir != NULL)
		(void)closedir(dir);
}

int main(int argc, char **argv)
{
	static struct golden g;

	if (argc != 2)
		die("usage:", "golden DIRECTORY");
	g.directory = argv[1];
	g.spec = read_file(in(&g, "spec.json"), &g.length);
	g.lua = g.spec == NULL;
	if (g.lua)
		g.spec = read_file(in(&g, "spec.lua"), &g.length);
	if (g.spec == NULL)
		die("no spec.json or spec.lua in", g.directory);
	read_variants(&g);
	for (size_t i = 0; i < g.variants; i++)
		make(&g, &g.variant[i]);
	compare_all(&g);
	find_strangers(&g);
	for (size_t i = 0; i < g.variants; i++) {
		free(g.variant[i].argv);
		free(g.variant[i].loader);
		free(g.variant[i].notes);
		free(g.variant[i].unknown);
		free(g.variant[i].errors);
	}
	free(g.list);
	free(g.spec);
	return g.failed ? 1 : 0;
}
