/* argv -> tree: the options of each release, read as BSD's getopt(3) reads them. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FWCFG_NAME = 55 };

/* Not getopt(3): the GNU one permutes argv, and neither can be used twice in the same manner. */
struct scan {
	int argc, index;
	char **argv;
	const char *place;    /* further letters of the same word, or "" */
	const char *argument; /* of the option just found, or NULL */
};

struct option {
	char letter;
	int (*take)(struct vm *vm, const char *argument);
};

struct flag {
	char letter;
	const char *path, *value;
};

static const struct flag flags[] = {
	{ 'a', "x86.x2apic", "false" },
	{ 'C', "memory.guest_in_core", "true" },
	{ 'D', "destroy_on_poweroff", "true" },
	{ 'e', "x86.strictio", "true" },
	{ 'H', "x86.vmexit_on_hlt", "true" },
	{ 'M', "monitor", "true" },
	{ 'P', "x86.vmexit_on_pause", "true" },
	{ 'S', "memory.wired", "true" },
	{ 'u', "rtc.use_localtime", "false" },
	{ 'w', "x86.strictmsr", "false" },
	{ 'x', "x86.x2apic", "true" },
	{ 'Y', "x86.mptable", "false" },
};

/* Returns the letter, 0 at the end of the options, '?' for one that is unknown or incomplete. */
static char next_option(struct scan *scan, const char *letters)
{
	const char *known;
	char letter;

	scan->argument = NULL;
	if (scan->place[0] == '\0') {
		if (scan->index >= scan->argc || scan->argv[scan->index][0] != '-' ||
		    scan->argv[scan->index][1] == '\0')
			return 0;
		scan->place = scan->argv[scan->index++] + 1;
		if (strcmp(scan->place, "-") == 0) {
			scan->place = "";
			return 0;
		}
	}
	letter = *scan->place++;
	known = letter == ':' ? NULL : strchr(letters, letter);
	if (known == NULL)
		return '?';
	if (known[1] != ':')
		return letter;
	if (scan->place[0] == '\0' && scan->index >= scan->argc)
		return '?';
	scan->argument = scan->place[0] != '\0' ? scan->place : scan->argv[scan->index++];
	scan->place = "";
	return letter;
}

static const char *known_letters(const struct fake_host *host)
{
	static const char *const amd64[] = {
		"aehuwxACDHIPSWYk:o:p:G:c:s:m:l:K:U:",
		"aehuwxACDHIPSWYk:f:o:p:G:c:s:m:l:K:U:",
		"aehuwxACDHIPSWYk:f:n:o:p:G:c:s:m:l:K:U:",
		"aehuwxACDHIMPSWYk:f:n:o:p:G:c:s:m:l:K:U:",
	};

	if (!host->arm64)
		return amd64[host->release - 13];
	return host->release < 16 ? "hCDSWk:f:o:p:G:c:s:m:U:" : "hCDMSWk:f:o:p:G:c:s:m:U:";
}

static int set_defaults(struct vm *vm)
{
	int release = vm->host->release, rc;

	if (vm->host->arm64) {
		if ((rc = fk_set(vm, "acpi_tables", "false")) != 0 ||
		    (rc = fk_set(vm, "acpi_tables_in_memory", "false")) != 0)
			return rc;
		return fk_set(vm, "memory.size", "256M");
	}
	if ((rc = fk_set(vm, "acpi_tables", release < 15 ? "false" : "true")) != 0 ||
	    (release >= 14 && (rc = fk_set(vm, "acpi_tables_in_memory", "true")) != 0) ||
	    (rc = fk_set(vm, "memory.size", "256M")) != 0 ||
	    (rc = fk_set(vm, "x86.strictmsr", "true")) != 0 ||
	    (release >= 15 && (rc = fk_set(vm, "x86.verbosemsr", "false")) != 0) ||
	    (release >= 14 && (rc = fk_set(vm, "lpc.fwcfg", "bhyve")) != 0) ||
	    (release >= 16 && (rc = fk_set(vm, "rundir", "/var/run/bhyve/")) != 0))
		return rc;
	return 0;
}

static int take_fwcfg(struct vm *vm, const char *text)
{
	const char *name = strncmp(text, "name=", 5) == 0 ? text + 5 : text;
	const char *comma = strchr(name, ',');
	int fd;

	if (comma == NULL || comma - name > MAX_FWCFG_NAME)
		return fk_fail(vm, EXIT_USAGE, "invalid fwcfg item '%s'", text);
	if (strncmp(comma + 1, "string=", 7) == 0)
		return 0;
	if (strncmp(comma + 1, "file=", 5) != 0)
		return fk_fail(vm, EXIT_USAGE, "invalid fwcfg item '%s'", text);
	if (vm->host->no_files)
		return 0;
	fd = open(comma + 6, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fk_fail(vm, EXIT_USAGE, "fwcfg file %s: %s", comma + 6, strerror(errno));
	(void)close(fd);
	return 0;
}

static int take_gdb(struct vm *vm, const char *text)
{
	const char *colon;
	char *address;
	int rc = 0;

	if (text[0] == 'w') {
		rc = fk_set(vm, "gdb.wait", "true");
		text++;
	}
	colon = strrchr(text, ':');
	if (rc == 0 && colon != NULL) {
		address = fk_copy_text(text, (size_t)(colon - text));
		rc = fk_set(vm, "gdb.address", address);
		free(address);
	}
	return rc == 0 ? fk_set(vm, "gdb.port", colon == NULL ? text : colon + 1) : rc;
}

static int take_layout(struct vm *vm, const char *text)
{
	return fk_set(vm, "keyboard.layout", text);
}

static int take_memory(struct vm *vm, const char *text)
{
	return fk_set(vm, "memory.size", text);
}

static int take_uuid(struct vm *vm, const char *text)
{
	return fk_set(vm, "uuid", text);
}

static int take_slot_or_help(struct vm *vm, const char *text)
{
	if (strncmp(text, "help", strlen(text)) != 0) /* so any beginning of it will do */
		return fk_take_slot(vm, text);
	fk_print_models(vm);
	return FAKE_DONE;
}

static int take_lpc_or_help(struct vm *vm, const char *text)
{
	if (strncmp(text, "help", strlen(text)) != 0)
		return fk_take_lpc(vm, text);
	if (vm->host->out != NULL)
		fprintf(vm->host->out, "bootrom\ncom1\ncom2\ncom3\ncom4\n%spc-testdev\n",
		    vm->host->release < 14 ? "" : "tpm\n");
	return FAKE_DONE;
}

static int usage(struct vm *vm, int status)
{
	const char *flag_letters = vm->host->arm64 ? "CDhSW" : "AaCDeHhPSuWwxY";

	if (status == FAKE_DONE && vm->host->err != NULL)
		fprintf(vm->host->err, "usage: bhyve [-%s] [option argument] ... vmname\n",
		    flag_letters);
	return fk_fail(vm, status, "usage: bhyve [-%s] [option argument] ... vmname", flag_letters);
}

static const struct option with_argument[] = {
	{ 'c', fk_take_topology },
	{ 'f', take_fwcfg },
	{ 'G', take_gdb },
	{ 'k', fk_take_config_file },
	{ 'K', take_layout },
	{ 'l', take_lpc_or_help },
	{ 'm', take_memory },
	{ 'n', fk_take_domain },
	{ 'o', fk_take_option },
	{ 'p', fk_take_pin },
	{ 's', take_slot_or_help },
	{ 'U', take_uuid },
};

static int take_flag(struct vm *vm, char letter)
{
	size_t i;

	if (letter == 'h')
		return usage(vm, FAKE_DONE);
	if (letter == 'I') /* was: an I/O APIC, please */
		return 0;
	if (letter == 'A')
		return vm->host->release < 15 ? fk_set(vm, "acpi_tables", "true") : 0;
	if (letter == 'W')
		return fk_set(vm, vm->host->release < 16 ? "virtio_msix" : "virtio.msix", "false");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].letter == letter)
			return fk_set(vm, flags[i].path, flags[i].value);
	return usage(vm, EXIT_POWEROFF);
}

static int take_letter(struct vm *vm, char letter, const char *argument)
{
	size_t i;

	if (argument == NULL)
		return take_flag(vm, letter);
	if (letter == 'f' && vm->host->arm64) /* known to its getopt, but to nothing else */
		return usage(vm, EXIT_POWEROFF);
	for (i = 0; i < sizeof(with_argument) / sizeof(with_argument[0]); i++)
		if (with_argument[i].letter == letter)
			return with_argument[i].take(vm, argument);
	return usage(vm, EXIT_POWEROFF);
}

/* 15 knows the old names still, for -o and -k. */
static int copy_old_names(struct vm *vm)
{
	static const char *const names[][2] = {
		{ "lpc.bootrom", "bootrom" },
		{ "lpc.bootvars", "bootvars" },
	};
	const char *value;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && vm->host->release >= 15 && i < 2; i++) {
		value = fk_get(vm, names[i][0]);
		if (value == NULL || fk_get(vm, names[i][1]) != NULL)
			continue;
		fk_warn(vm, "%s is deprecated, use %s", names[i][0], names[i][1]);
		rc = fk_set(vm, names[i][1], value);
	}
	return rc;
}

int fake_options(const struct fake_host *host, int argc, char **argv, struct fake_tree *tree,
    char *message, size_t n)
{
	struct vm vm = { .host = host, .tree = tree, .message = message, .size = n };
	struct scan scan = { .argc = argc, .index = 1, .argv = argv, .place = "" };
	int rc = set_defaults(&vm);
	char letter;

	while (rc == 0 && (letter = next_option(&scan, known_letters(host))) != 0)
		rc = take_letter(&vm, letter, scan.argument);
	if (rc != 0)
		return rc;
	if (argc - scan.index > 1)
		return usage(&vm, EXIT_POWEROFF);
	if (argc - scan.index == 1)
		rc = fk_set(&vm, "name", argv[scan.index]);
	if (rc == 0 && fk_get(&vm, "name") == NULL)
		return usage(&vm, EXIT_POWEROFF);
	return rc == 0 ? copy_old_names(&vm) : rc;
}
