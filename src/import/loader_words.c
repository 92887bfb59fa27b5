/* Reads bhyveload's and grub-bhyve's command.  Facts: their option loops (bhyveload.c, main.c). */
#include "import/loader_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "import/bhyve_values.h"

struct loader_reading {
	struct tree_reader *r;
	const char *program; /* as messages name it */
	struct node *loader, *disks, *env;
	char *memory; /* as `mem` has it, or NULL */
};

/* Where the argument of an option goes; the last row has no letter. */
struct loader_option {
	char letter;
	bool has_argument, is_path;
	const char *key; /* of `loader`; NULL: `take` has the argument */
	void (*take)(struct loader_reading *l, const char *argument);
};

static void fault(struct loader_reading *l, const char *why, const char *what)
{
	report_add(l->r->report, STATUS_SPEC, NULL, "%s: %s%s", l->program, why, what);
}

static void take_memory(struct loader_reading *l, const char *argument)
{
	MEM_AUTO char *why = NULL;

	free(l->memory);
	l->memory = NULL;
	why = bhyve_memory_text(argument, &l->memory);
	if (why != NULL)
		fault(l, "", why);
}

static void take_disk(struct loader_reading *l, const char *argument)
{
	MEM_AUTO char *path = field_path(argument, l->r->loader_directory);

	node_append(l->disks, node_string(path));
}

static void take_variable(struct loader_reading *l, const char *argument)
{
	MEM_AUTO char *key = mem_copy_n(argument, strcspn(argument, "="));

	if (argument[strlen(key)] == '\0')
		fault(l, "expected NAME=VALUE after -e, got ", argument);
	else
		node_put(l->env, key, node_string(argument + strlen(key) + 1));
}

/* Leaves the console out where com1 is the same: it is the default. */
static void take_console(struct loader_reading *l, const char *argument)
{
	const char *com = node_get_text(l->r->spec, "com1");

	if (com == NULL || strcmp(com, argument) != 0)
		node_put(l->loader, "console", node_string(argument));
}

/* Notes a flag of the loader that bhyve does not have: the spec has one key for both. */
static void take_flag(struct loader_reading *l, const char *option, const char *key)
{
	const struct node *value = node_get(l->r->spec, key);

	if (value == NULL || !value->truth)
		words_addf(l->r->notes,
		    "%s %s: left out: the bhyve command does not have it; set \"%s\": true for "
		    "both",
		    l->program, option, key);
}

static void take_core(struct loader_reading *l, const char *argument)
{
	(void)argument;
	take_flag(l, "-C", "guest_mem_in_core");
}

static void take_wired(struct loader_reading *l, const char *argument)
{
	(void)argument;
	take_flag(l, "-S", "wire_guest_mem");
}

static const struct loader_option of_bhyveload[] = {
	{ 'C', false, false, NULL, take_core },
	{ 'S', false, false, NULL, take_wired },
	{ 'c', true, false, NULL, take_console },
	{ 'd', true, false, NULL, take_disk },
	{ 'e', true, false, NULL, take_variable },
	{ 'h', true, true, "host_dir", NULL },
	{ 'l', true, true, "os_loader", NULL },
	{ 'm', true, false, NULL, take_memory },
	{ 0 },
};

static const struct loader_option of_grub[] = {
	{ 'S', false, false, NULL, take_wired },
	{ 'c', true, false, NULL, take_console },
	{ 'm', true, true, "device_map", NULL },
	{ 'M', true, false, NULL, take_memory },
	{ 'r', true, false, "root", NULL },
	{ 'd', true, false, "dir", NULL },
	{ 'g', true, false, "config", NULL },
	{ 0 },
};

/* grub-bhyve has long names, too. */
static const char *const grub_names[][2] = { { "--cons-dev", "-c" }, { "--device-map", "-m" },
	{ "--memory", "-M" }, { "--root", "-r" }, { "--directory", "-d" }, { "--grub-cfg", "-g" },
	{ "--wire", "-S" } };

/* Returns a word with the short name of an option: "--memory=1G" is "-M1G". */
static char *short_form(const char *word)
{
	for (size_t i = 0; i < sizeof(grub_names) / sizeof(grub_names[0]); i++) {
		const char *rest = str_after(word, grub_names[i][0]);

		if (rest != NULL && (*rest == '\0' || *rest == '='))
			return mem_format("%s%s", grub_names[i][1], *rest == '=' ? rest + 1 : "");
	}
	return mem_copy(word);
}

static void apply(
    struct loader_reading *l, const struct loader_option *option, const char *argument)
{
	if (option->take != NULL) {
		option->take(l, argument);
	} else if (option->key != NULL) {
		MEM_AUTO char *path =
		    option->is_path ? field_path(argument, l->r->loader_directory) : NULL;

		node_put(l->loader, option->key, node_string(path != NULL ? path : argument));
	}
}

/* Reads the options of one word, and takes the next word where the last needs an argument. */
static void read_word(struct loader_reading *l, const struct loader_option *options,
    const struct words *argv, size_t *at)
{
	MEM_AUTO char *word = short_form(argv->item[(*at)++]);

	for (const char *p = word + 1; *p != '\0'; p++) {
		const struct loader_option *o = options;
		const char *argument = NULL;

		while (o->letter != '\0' && o->letter != *p)
			o++;
		if (o->has_argument)
			argument = p[1] != '\0' ? p + 1
			    : *at < argv->count ? argv->item[(*at)++]
						: NULL;
		if (o->letter == '\0') {
			fault(l, "it has no such option: ", word);
			return;
		}
		if (o->has_argument && argument == NULL) {
			fault(l, "missing argument after ", word);
			return;
		}
		apply(l, o, argument);
		if (argument != NULL)
			return;
	}
}

static void check_fit(struct loader_reading *l, const struct words *argv, size_t at, const char *vm)
{
	const char *mem = node_get_text(l->r->spec, "mem");
	const char *memory = l->memory != NULL ? l->memory : BHYVE_MEMORY;

	if (at + 1 != argv->count)
		fault(l, at >= argv->count ? "it ends without the VM's name" : "unexpected word ",
		    at >= argv->count ? "" : argv->item[at + 1]);
	else if (strcmp(argv->item[at], vm) != 0)
		report_add(l->r->report, STATUS_SPEC, NULL,
		    "%s loads the VM \"%s\", but bhyve runs \"%s\": pass the commands of one VM",
		    l->program, argv->item[at], vm);
	if (mem != NULL && strcmp(mem, memory) != 0)
		report_add(l->r->report, STATUS_SPEC, NULL,
		    "%s has %s of memory, but bhyve has %s: bhyve fails then, so give both the "
		    "same",
		    l->program, memory, mem);
}

/* Adds the lines that GRUB reads. */
static void put_commands(struct loader_reading *l, const char *input)
{
	struct node *commands;

	if (input == NULL)
		return;
	commands = node_new(NODE_LIST);
	while (*input != '\0') {
		size_t n = strcspn(input, "\n");

		if (n > 0)
			node_append(commands, node_string_n(input, n));
		input += n + (input[n] == '\n' ? 1 : 0);
	}
	node_put(l->loader, "commands", commands);
}

void loader_words_read(
    struct tree_reader *r, const struct words *argv, const char *input, const char *vm)
{
	bool is_grub = strstr(argv->item[0], "grub-bhyve") != NULL;
	struct loader_reading l = { .r = r, .program = is_grub ? "grub-bhyve" : "bhyveload" };
	size_t at = 1;

	l.loader = node_new(NODE_OBJECT);
	l.disks = node_new(NODE_LIST);
	l.env = node_new(NODE_OBJECT);
	node_put(l.loader, "type", node_string(is_grub ? "grub" : "bhyveload"));
	while (at < argv->count && argv->item[at][0] == '-' && argv->item[at][1] != '\0')
		read_word(&l, is_grub ? of_grub : of_bhyveload, argv, &at);
	check_fit(&l, argv, at, vm);
	if (is_grub)
		put_commands(&l, input);
	else if (input != NULL)
		words_add(r->notes,
		    "bhyveload: its standard input is left out: vmrun gives it the console");
	if (l.disks->count > 0)
		node_put(l.loader, "disks", l.disks);
	else
		node_free(l.disks);
	if (l.env->count > 0)
		node_put(l.loader, "env", l.env);
	else
		node_free(l.env);
	node_put(r->spec, "loader", l.loader);
	free(l.memory);
}
