/* Reads bhyveload's and grub-bhyve's command.  Facts: their option loops (bhyveload.c, main.c). */
#include "import/loader_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "import/bhyve_values.h"

struct loader_option;

struct loader_reading {
	struct tree_reader *r;
	const char *program; /* as messages name it */
	const struct loader_option *options;
	struct node *loader, *disks, *env;
	char *memory; /* as `mem` has it, or NULL */
};

/* What an option of a loader is followed by. */
enum argument {
	FLAG,
	VALUE,
	PATH,
	MAYBE, /* a value in the same word, or nothing */
};

/*
 * Where the argument of an option goes; the last row has no letter.  An option without `key` and
 * `take` changes nothing in the guest.
 */
struct loader_option {
	char letter;
	enum argument argument;
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

/* Notes an option of grub-bhyve that changes what a Linux guest is told (loader/i386/linux.c). */
static void take_bare_console(struct loader_reading *l, const char *argument)
{
	(void)argument;
	words_addf(l->r->notes,
	    "%s -n: left out: vmrun has no key for it, and without it grub-bhyve begins the "
	    "command line of a Linux guest with console=ttyS0: write the console that the guest "
	    "is to have into its grub.cfg, where the last console=... counts",
	    l->program);
}

static void take_bare_screen(struct loader_reading *l, const char *argument)
{
	(void)argument;
	words_addf(l->r->notes,
	    "%s -e: left out: vmrun has no key for it, and without it grub-bhyve tells a Linux "
	    "guest that its screen has 80 columns and 25 lines",
	    l->program);
}

static const struct loader_option of_bhyveload[] = {
	{ 'C', FLAG, NULL, take_core },
	{ 'S', FLAG, NULL, take_wired },
	{ 'c', VALUE, NULL, take_console },
	{ 'd', VALUE, NULL, take_disk },
	{ 'e', VALUE, NULL, take_variable },
	{ 'h', PATH, "host_dir", NULL },
	{ 'l', PATH, "os_loader", NULL },
	{ 'm', VALUE, NULL, take_memory },
	{ 0 },
};

static const struct loader_option of_grub[] = {
	{ 'S', FLAG, NULL, take_wired },
	{ 'v', FLAG, NULL, NULL },
	{ 'e', FLAG, NULL, take_bare_screen },
	{ 'n', FLAG, NULL, take_bare_console },
	{ 'H', MAYBE, NULL, NULL },
	{ 'c', VALUE, NULL, take_console },
	{ 'm', PATH, "device_map", NULL },
	{ 'M', VALUE, NULL, take_memory },
	{ 'r', VALUE, "root", NULL },
	{ 'd', VALUE, "dir", NULL },
	{ 'g', VALUE, "config", NULL },
	{ 0 },
};

/*
 * The long names of grub-bhyve, which argp(3) takes as short as they are unique, too.  Those of
 * argp itself have no letter here, and -S has no long name.
 */
static const char *const grub_names[][2] = { { "--cons-dev", "-c" }, { "--device-map", "-m" },
	{ "--memory", "-M" }, { "--root", "-r" }, { "--directory", "-d" }, { "--grub-cfg", "-g" },
	{ "--verbose", "-v" }, { "--hold", "-H" }, { "--evga", "-e" }, { "--ncons", "-n" },
	{ "--help", NULL }, { "--usage", NULL } };

/*
 * Returns a word with the short name of an option: "--memory=1G" is "-M1G".  A name that is not
 * known, or an empty value, which "-M" cannot have, stays as it is.
 */
static char *short_form(const char *word)
{
	size_t n = strcspn(word, "="), found = 0;
	const char *letter = NULL;

	for (size_t i = 0; n > 2 && i < sizeof(grub_names) / sizeof(grub_names[0]); i++) {
		if (strncmp(grub_names[i][0], word, n) != 0)
			continue;
		letter = grub_names[i][1];
		found++;
	}
	if (found != 1 || letter == NULL || strcmp(word + n, "=") == 0)
		return mem_copy(word);
	return mem_format("%s%s", letter, word[n] == '=' ? word + n + 1 : "");
}

static void apply(
    struct loader_reading *l, const struct loader_option *option, const char *argument)
{
	if (option->take != NULL) {
		option->take(l, argument);
	} else if (option->key != NULL) {
		MEM_AUTO char *path =
		    option->argument == PATH ? field_path(argument, l->r->loader_directory) : NULL;

		node_put(l->loader, option->key, node_string(path != NULL ? path : argument));
	}
}

/* Reads the options of one word, and takes the next word where the last needs an argument. */
static void read_word(struct loader_reading *l, const struct words *argv, size_t *at)
{
	MEM_AUTO char *word = short_form(argv->item[(*at)++]);

	for (const char *p = word + 1; *p != '\0'; p++) {
		const struct loader_option *o = l->options;
		const char *argument = NULL;
		bool needs_argument;

		while (o->letter != '\0' && o->letter != *p)
			o++;
		needs_argument = o->argument == VALUE || o->argument == PATH;
		if (o->argument != FLAG && p[1] != '\0')
			argument = p + 1;
		else if (needs_argument && *at < argv->count)
			argument = argv->item[(*at)++];
		if (o->letter == '\0') {
			fault(l, "it has no such option: ", word);
			return;
		}
		if (needs_argument && argument == NULL) {
			fault(l, "missing argument after ", word);
			return;
		}
		apply(l, o, argument);
		if (argument != NULL)
			return;
	}
}

/*
 * Reads all words.  bhyveload ends its options at the first operand, as getopt(3) does; the argp(3)
 * of grub-bhyve takes options behind it, too.
 */
static void read_words(struct loader_reading *l, const struct words *argv, struct words *operands)
{
	bool is_grub = l->options == of_grub, has_options = true;

	for (size_t at = 1; at < argv->count;) {
		const char *word = argv->item[at];

		if (has_options && strcmp(word, "--") == 0) {
			has_options = false;
			at++;
		} else if (has_options && *word == '-' && word[1] != '\0') {
			read_word(l, argv, &at);
		} else {
			words_add(operands, word);
			has_options = has_options && is_grub;
			at++;
		}
	}
}

static void check_fit(struct loader_reading *l, const struct words *operands, const char *vm)
{
	const char *mem = node_get_text(l->r->spec, "mem");
	const char *memory = l->memory != NULL ? l->memory : BHYVE_MEMORY;

	if (operands->count != 1)
		fault(l,
		    operands->count == 0 ? "it ends without the VM's name" : "unexpected word ",
		    operands->count == 0 ? "" : operands->item[1]);
	else if (strcmp(operands->item[0], vm) != 0)
		report_add(l->r->report, STATUS_SPEC, NULL,
		    "%s loads the VM \"%s\", but bhyve runs \"%s\": pass the commands of one VM",
		    l->program, operands->item[0], vm);
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
	WORDS_AUTO struct words operands = { 0 };

	l.options = is_grub ? of_grub : of_bhyveload;
	l.loader = node_new(NODE_OBJECT);
	l.disks = node_new(NODE_LIST);
	l.env = node_new(NODE_OBJECT);
	node_put(l.loader, "type", node_string(is_grub ? "grub" : "bhyveload"));
	read_words(&l, argv, &operands);
	check_fit(&l, &operands, vm);
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
