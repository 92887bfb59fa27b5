/* Recognises what a text is, and imports it. */
#include "import/import.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/foreign.h"
#include "import/bhyve.h"
#include "import/vm_bhyve.h"
#include "platform/find.h"
#include "spec/spec.h"

/* What can be imported; a text without `format` is recognised by its lines. */
static const struct {
	const char *format, *kind;
	int (*import)(
	    const struct import_source *source, struct import *out, struct report *report);
} formats[] = {
	{ "vm-bhyve", FOREIGN_VM_BHYVE, import_vm_bhyve },
	{ "argv", FOREIGN_COMMAND, import_command },
	{ "argv", FOREIGN_SCRIPT, import_command },
	{ "bhyve_config", FOREIGN_BHYVE_CONFIG, import_bhyve_config },
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

const char *import_name(const struct import_source *source)
{
	if (source->path != NULL)
		return source->path;
	return source->name == NULL ? "<stdin>" : source->name;
}

/* Puts the host that the VM ran on, which decides what bhyve's options mean. */
static void put_host(const struct import_source *source, struct node *spec)
{
	struct node *bhyve;

	if (source->release == NULL && source->arch == NULL)
		return;
	bhyve = node_new(NODE_OBJECT);
	if (source->release != NULL)
		node_put(bhyve, "release", field_read_integer(source->release));
	if (source->arch != NULL)
		node_put(bhyve, "arch", node_string(source->arch));
	node_put(spec, "bhyve", bhyve);
}

/* Returns what stands behind white space. */
static const char *skip_space(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p) != 0)
		p++;
	return p;
}

/*
 * Returns whether a text begins with "{" and a command of a shell, which UCL would take for a key:
 * { echo "x"; bhyve ...; }.  No key of a spec has one of these names.
 */
static bool is_group(const char *text, size_t length)
{
	static const char *const commands[] = { "cd", "doas", "echo", "exec", "export", "ifconfig",
		"kldload", "logger", "printf", "set", "sleep", "sudo", "test", "trap", "umask" };
	const char *end = text + length, *p = skip_space(text, end);
	size_t n = 0;

	if (p == end || *p != '{')
		return false;
	p = skip_space(p + 1, end);
	while (p + n < end && isalpha((unsigned char)p[n]) != 0)
		n++;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strlen(commands[i]) == n && memcmp(commands[i], p, n) == 0) {
			p = skip_space(p + n, end);
			return p < end && strchr("=:", *p) == NULL;
		}
	}
	return false;
}

/* Returns what the text is, by its lines; NULL: none of the formats. */
static const char *find_kind(const struct import_source *source)
{
	const char *kind = foreign_kind(source->text, source->length);

	/*
	 * A command behind a prompt or in a page has no line of its own kind, and FreeBSD's script
	 * vmrun.sh has it inside.
	 */
	if (kind == NULL &&
	    (!foreign_is_json(source->text, source->length) ||
		is_group(source->text, source->length)) &&
	    (find_text(source->text, source->length, "bhyve") != NULL ||
		find_text(source->text, source->length, "vmrun.sh") != NULL))
		return FOREIGN_COMMAND;
	return kind;
}

/*
 * Masks control characters, which a value of the text may have: a message is one line, and has no
 * escape sequences for a terminal.
 */
static void mask(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
		bool is_c1 = *p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0; /* U+0080 to U+009F */

		if (is_c1)
			*p++ = '?';
		if (is_c1 || *p < ' ' || *p == 0x7f)
			*p = '?';
	}
}

static int import_kind(
    const struct import_source *source, const char *kind, struct import *out, struct report *report)
{
	for (size_t i = 0; i < FORMATS; i++) {
		if (source->format != NULL ? strcmp(formats[i].format, source->format) == 0
					   : kind != NULL && strcmp(formats[i].kind, kind) == 0)
			return formats[i].import(source, out, report);
	}
	report_add(report, STATUS_SPEC, NULL,
	    "the text is none of the kinds that can be imported: expected a bhyve command, a "
	    "bhyve_config(5) file or the .conf of a guest of vm-bhyve");
	return -1;
}

int import_text(const struct import_source *source, struct import *out, struct report *report)
{
	const char *kind = source->format != NULL ? NULL : find_kind(source);
	int rc;

	out->spec = node_new(NODE_OBJECT);
	put_host(source, out->spec);
	rc = import_kind(source, kind, out, report);
	for (size_t i = 0; i < out->notes.count; i++)
		mask(out->notes.item[i]);
	for (size_t i = 0; i < report->count; i++)
		mask(report->item[i].text);
	import_place(source, report);
	return rc;
}

void import_place(const struct import_source *source, struct report *report)
{
	MEM_AUTO char *name = MEM_JOIN(import_name(source), ":");

	for (size_t i = 0; i < report->count; i++) {
		struct problem *p = &report->item[i];

		if (p->place == NULL && str_after(p->text, name) == NULL)
			p->place = mem_copy(import_name(source));
	}
}

void import_put_name(struct import *out, const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	MEM_AUTO char *made = mem_copy_n(name, strnlen(name, MAX_VM_NAME));

	for (char *c = made; *c != '\0'; c++) {
		if (strchr(allowed, *c) == NULL && (c == made || strchr("._-", *c) == NULL))
			*c = c == made ? 'x' : '-';
	}
	node_put(out->spec, "name", node_string(*made == '\0' ? IMPORT_NAME : made));
	if (strcmp(made, name) != 0)
		words_addf(&out->notes,
		    "name: \"%s\" became \"%s\": a name has letters, digits, \".\", \"_\" and "
		    "\"-\", and at most %d of them",
		    name, made, MAX_VM_NAME);
}

char *import_key_text(const struct node *spec, const char *path)
{
	const char *number = path == NULL ? NULL : str_after(path, "emulations[");
	const struct node *devices = number == NULL ? NULL : node_get(spec, "emulations");
	const struct node *device = devices == NULL ? NULL : devices->first;
	const char *key;

	if (path == NULL)
		return mem_copy("");
	for (long i = number == NULL ? 0 : strtol(number, NULL, 10); device != NULL && i > 0; i--)
		device = device->next;
	if (device == NULL || node_get_text(device, "slot") == NULL)
		return mem_format("%s: ", path);
	key = number + strcspn(number, "]");
	key += strspn(key, "].");
	return mem_format("%s at %s: %s%s", node_get_text(device, "device"),
	    node_get_text(device, "slot"), key, *key == '\0' ? "" : ": ");
}

void import_free(struct import *import)
{
	node_free(import->spec);
	words_free(&import->notes);
	import->spec = NULL;
}
