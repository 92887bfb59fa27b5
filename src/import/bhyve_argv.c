/* Reads bhyve's command line.  Facts: the option loops of bhyverun.c and bhyverun_machdep.c. */
#include "import/bhyve_argv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/source.h"
#include "hyper/bhyve_plan.h"
#include "import/bhyve_forms.h"
#include "import/bhyve_tree.h"
#include "import/tree_reader.h"
#include "shell/command_words.h"

struct reading {
	struct bhyve_command *command;
	const struct bhyve_host *host;
	const char *directory;
	struct report *report;
	bool has_unknown; /* an option, so that a word behind it may be its argument */
};

/* An option that bhyve_flags does not list. */
struct option_reader {
	char letter;
	bool has_argument, on_arm64;
	int since; /* release of FreeBSD, 0: all */
	/* NULL: the option sets nothing. */
	int (*read)(struct reading *r, const char *argument, struct error *err);
};

static int read_device(struct reading *r, const char *argument, struct error *err)
{
	return form_read_device(&r->command->tree, r->host, argument, err);
}

static int read_lpc(struct reading *r, const char *argument, struct error *err)
{
	return form_read_lpc(&r->command->tree, r->host, argument, err);
}

static int read_variable(struct reading *r, const char *argument, struct error *err)
{
	return tree_set_option(&r->command->tree, argument, err);
}

static int read_memory(struct reading *r, const char *argument, struct error *err)
{
	return tree_set(&r->command->tree, "memory.size", argument, err);
}

static int read_keyboard(struct reading *r, const char *argument, struct error *err)
{
	return tree_set(&r->command->tree, "keyboard.layout", argument, err);
}

static int read_uuid(struct reading *r, const char *argument, struct error *err)
{
	return tree_set(&r->command->tree, "uuid", argument, err);
}

static int read_xapic(struct reading *r, const char *argument, struct error *err)
{
	(void)argument;
	return tree_set(&r->command->tree, "x86.x2apic", "false", err);
}

static int read_monitor(struct reading *r, const char *argument, struct error *err)
{
	(void)argument;
	(void)err;
	words_add(
	    &r->command->notes, "-M: left out: vmrun itself starts the VM again after each exit");
	return 0;
}

static int refuse_snapshot(struct reading *r, const char *argument, struct error *err)
{
	(void)r;
	return error_set(err, STATUS_SPEC,
	    "-r %s: a VM that continues from a snapshot cannot be a spec: import the command that "
	    "boots it",
	    argument);
}

static int refuse_help(struct reading *r, const char *argument, struct error *err)
{
	(void)r;
	(void)argument;
	return error_set(err, STATUS_SPEC, "-h: this command prints bhyve's usage and runs no VM");
}

static int refuse_old_gdb(struct reading *r, const char *argument, struct error *err)
{
	(void)r;
	(void)argument;
	return error_set(err, STATUS_SPEC,
	    "bhyve has no -g since FreeBSD 13: remove it with its argument, or use -G PORT to "
	    "debug the guest");
}

static int refuse_old_console(struct reading *r, const char *argument, struct error *err)
{
	(void)r;
	(void)argument;
	return error_set(err, STATUS_SPEC, "bhyve has no -b since FreeBSD 13: remove it");
}

/* Sets "4" and "sockets=2" as variables, whose numbers bhyve reads later. */
static int read_cpus(struct reading *r, const char *argument, struct error *err)
{
	static const char *const keys[] = { "cpus", "sockets", "cores", "threads", NULL };
	int rc = 0;

	for (const char *rest = argument; rest != NULL && rc == 0;) {
		MEM_AUTO char *piece = form_take_piece(&rest);
		char *equal = strchr(piece, '=');
		bool known = equal == NULL;

		if (equal != NULL)
			*equal = '\0';
		for (size_t i = 0; keys[i] != NULL; i++)
			known = known || strcmp(piece, keys[i]) == 0;
		if (!known)
			return error_set(err, STATUS_SPEC,
			    "\"%s\": expected cpus, sockets, cores or threads", piece);
		if (*argument != '\0')
			rc = tree_set(&r->command->tree, equal == NULL ? keys[0] : piece,
			    equal == NULL ? piece : equal + 1, err);
	}
	return rc;
}

/* Adds a processor of the host to those of one of the guest. */
static int read_pin(struct reading *r, const char *argument, struct error *err)
{
	MEM_AUTO char *key = NULL, *all = NULL;
	const char *old;
	int guest, host;

	if (sscanf(argument, "%d:%d", &guest, &host) != 2 || guest < 0 || host < 0)
		return error_set(
		    err, STATUS_SPEC, "\"%s\": expected VCPU:CPU, such as 0:2", argument);
	key = mem_format("vcpu.%d.cpuset", guest);
	old = pairs_get(&r->command->tree, key);
	all = mem_format("%s%s%d", old == NULL ? "" : old, old == NULL ? "" : ",", host);
	return tree_set(&r->command->tree, key, all, err);
}

/* Reads "[w][ADDR:]PORT". */
static int read_gdb(struct reading *r, const char *argument, struct error *err)
{
	struct pairs *tree = &r->command->tree;
	const char *colon;
	int rc = 0;

	if (*argument == 'w') {
		rc = tree_set(tree, "gdb.wait", "true", err);
		argument++;
	}
	colon = strrchr(argument, ':');
	if (rc == 0 && colon != NULL) {
		MEM_AUTO char *address = mem_copy_n(argument, (size_t)(colon - argument));

		rc = tree_set(tree, "gdb.address", address, err);
	}
	return rc != 0 ? rc : tree_set(tree, "gdb.port", colon == NULL ? argument : colon + 1, err);
}

/* Reads "id=N,size=S,cpus=LIST,domain_policy=P"; bhyve ignores other keys. */
static int read_domain(struct reading *r, const char *argument, struct error *err)
{
	static const char *const keys[] = { "size", "cpus", "domain_policy" };
	PAIRS_AUTO struct pairs domain = { 0 };
	const char *id;
	int rc = 0;

	for (const char *rest = argument; rest != NULL;) {
		MEM_AUTO char *piece = form_take_piece(&rest);
		char *equal = strchr(piece, '=');

		if (equal == NULL)
			return error_set(err, STATUS_SPEC, "\"%s\": expected KEY=VALUE", piece);
		*equal = '\0';
		pairs_remove(&domain, piece);
		pairs_add(&domain, piece, equal + 1);
	}
	id = pairs_get(&domain, "id");
	if (id == NULL)
		return error_set(err, STATUS_SPEC, "\"%s\": expected id=NUMBER in it", argument);
	for (size_t i = 0; i < 3 && rc == 0; i++) {
		const char *value = pairs_get(&domain, keys[i]);
		MEM_AUTO char *key = mem_format("domains.%s.%s", id, keys[i]);

		if (value != NULL)
			rc = tree_set(&r->command->tree, key, value, err);
	}
	return rc;
}

static int read_fwcfg(struct reading *r, const char *argument, struct error *err)
{
	(void)err;
	words_add(&r->command->fwcfg, argument);
	return 0;
}

/*

 * Reads the variables of a file, or passes on a file that cannot be read, such as one of secrets.

 */
static int read_file(struct reading *r, const char *argument, struct error *err)
{
	MEM_AUTO char *path = field_path(argument, r->directory);
	TEXT_FILE_AUTO struct text_file text = { 0 };
	struct document_source source = { .file = path };
	struct error unreadable = { 0 };

	(void)err;
	if (text_read(&source, &text, &unreadable) == 0) {
		tree_read_file(&r->command->tree, text.text, text.length, path, r->report);
		return 0;
	}
	words_addf(&r->command->notes,
	    "-k %s: this file cannot be read here (%s), so its variables are not in the spec: "
	    "bhyve "
	    "reads the file at each boot (\"extra_options\"), and fails without it",
	    path, unreadable.text);
	error_clear(&unreadable);
	words_add(&r->command->extra, "-k");
	words_add(&r->command->extra, path);
	if (r->command->unread == NULL)
		r->command->unread = mem_copy(path);
	return 0;
}

static const struct option_reader readers[] = {
	{ 's', true, true, 0, read_device },
	{ 'l', true, false, 0, read_lpc },
	{ 'o', true, true, 0, read_variable },
	{ 'c', true, true, 0, read_cpus },
	{ 'm', true, true, 0, read_memory },
	{ 'p', true, true, 0, read_pin },
	{ 'G', true, true, 0, read_gdb },
	{ 'k', true, true, 0, read_file },
	{ 'K', true, false, 0, read_keyboard },
	{ 'U', true, true, 0, read_uuid },
	{ 'f', true, false, 14, read_fwcfg },
	{ 'n', true, false, 15, read_domain },
	{ 'r', true, true, 0, refuse_snapshot },
	{ 'a', false, false, 0, read_xapic },
	{ 'I', false, false, 0, NULL },
	{ 'M', false, true, 16, read_monitor },
	{ 'h', false, true, 0, refuse_help },
	{ 'g', true, true, 0, refuse_old_gdb },
	{ 'b', false, true, 0, refuse_old_console },
};

static const struct option_reader *find_reader(char letter)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (readers[i].letter == letter)
			return &readers[i];
	}
	return NULL;
}

const char *bhyve_argv_operand(const struct words *words)
{
	for (size_t at = 0; at < words->count; at++) {
		const char *word = words->item[at];

		if (word[0] != '-' || word[1] == '\0')
			return word;
		if (strcmp(word, "--") == 0)
			return words->item[at + 1];
		for (const char *p = word + 1; *p != '\0'; p++) {
			const struct option_reader *reader = find_reader(*p);

			/* bhyve no longer has -g, so the word behind it is an operand. */
			if (reader == NULL || !reader->has_argument ||
			    reader->read == refuse_old_gdb)
				continue;
			at += p[1] == '\0' ? 1 : 0;
			break;
		}
	}
	return NULL;
}

/* Sets the variable of a flag. */
static int read_flag(struct reading *r, char letter, struct error *err)
{
	for (const struct bhyve_flag *f = bhyve_flags; f->key != NULL; f++) {
		if (f->letter != letter)
			continue;
		if (r->host->arm64 && hyper_is_amd64_key(f->key))
			return error_set(err, STATUS_SPEC, BHYVE_AMD64_ONLY);
		/* This option does nothing since bhyve has the tables by default. */
		if (letter == 'A' && r->host->release >= ACPI_RELEASE)
			return 0;
		return tree_set(&r->command->tree, f->variable, f->value, err);
	}
	r->has_unknown = true;
	return error_set(err, STATUS_SPEC, "bhyve has no such option");
}

/* Applies an option; the argument is NULL where it takes none, and where none is left. */
static int apply(
    struct reading *r, const struct option_reader *reader, const char *argument, struct error *err)
{
	if (r->host->release < reader->since)
		return form_refuse_release(r->host, reader->since, err);
	if (r->host->arm64 && !reader->on_arm64)
		return error_set(err, STATUS_SPEC, BHYVE_AMD64_ONLY);
	if (reader->has_argument && argument == NULL)
		return error_set(err, STATUS_SPEC, "its argument is missing");
	return reader->read == NULL ? 0 : reader->read(r, argument, err);
}

static void tell(struct reading *r, char letter, const char *argument, struct error *err)
{
	if (argument == NULL)
		(void)error_prefix(err, "-%c", letter);
	else
		(void)error_prefix(err, "-%c %s", letter, argument);
	report_take(r->report, NULL, err);
}

/* Reads the letters of one word, and takes the next word where the last needs an argument. */
static void read_option(struct reading *r, const struct words *argv, size_t *at)
{
	const char *word = argv->item[(*at)++];

	for (const char *p = word + 1; *p != '\0'; p++) {
		const struct option_reader *reader = find_reader(*p);
		const char *argument = NULL;
		struct error err = { 0 };

		if (reader != NULL && reader->has_argument && p[1] != '\0')
			argument = p + 1;
		else if (reader != NULL && reader->has_argument && *at < argv->count)
			argument = argv->item[(*at)++];
		if ((reader == NULL ? read_flag(r, *p, &err) : apply(r, reader, argument, &err)) !=
		    0)
			tell(r, *p, argument, &err);
		if (argument != NULL)
			return;
	}
}

/* Says why the command has no name: one that bhyve runs has it. */
static void tell_nameless(const struct reading *r, struct error *err)
{
	r->command->is_nameless = true;
	if (r->command->unread != NULL)
		(void)error_set(err, STATUS_SPEC,
		    "the command has no name for the VM, which the file %s of -k may have: this "
		    "file "
		    "cannot be read here: import the text where the file is, or write the name "
		    "behind the options",
		    r->command->unread);
	else
		(void)error_set(err, STATUS_SPEC,
		    "the command ends without the VM's name: each of its lines but the last needs "
		    "a "
		    "\"\\\" at its end, and neither an empty line nor one that begins with \"#\" "
		    "may "
		    "stand between them");
}

/* Reads the name, which is the only operand and beats the variable. */
static void read_name(struct reading *r, const struct words *argv, size_t at)
{
	struct error err = { 0 };

	if (r->has_unknown)
		return;
	if (at + 1 < argv->count && command_has_dash(argv->item[at]))
		(void)error_set(&err, STATUS_SPEC,
		    "\"%s\" begins with a typeset dash: write \"-\" in its place, and in that of "
		    "all "
		    "others",
		    argv->item[at]);
	else if (at + 1 < argv->count)
		(void)error_set(&err, STATUS_SPEC,
		    "\"%s\" follows the VM's name \"%s\": bhyve takes options before the name only",
		    argv->item[at + 1], argv->item[at]);
	else if (at < argv->count)
		(void)tree_set(&r->command->tree, "name", argv->item[at], &err);
	else if (pairs_get(&r->command->tree, "name") == NULL)
		tell_nameless(r, &err);
	if (err.text != NULL)
		report_take(r->report, NULL, &err);
}

void bhyve_argv_read(struct bhyve_command *command, const struct words *argv,
    const struct bhyve_host *host, const char *directory, struct report *report)
{
	struct reading r = { command, host, directory, report, false };
	size_t at = 1;

	while (at < argv->count && argv->item[at][0] == '-' && argv->item[at][1] != '\0') {
		if (strcmp(argv->item[at], "--") == 0) {
			at++;
			break;
		}
		read_option(&r, argv, &at);
	}
	read_name(&r, argv, at);
}

void bhyve_command_free(struct bhyve_command *command)
{
	pairs_free(&command->tree);
	words_free(&command->fwcfg);
	words_free(&command->extra);
	words_free(&command->notes);
	free(command->unread);
	command->unread = NULL;
}
