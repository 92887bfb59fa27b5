/* The keys that describe the machine: name, cpu, mem, host bridge, serial ports. */
#include "spec/keys.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/vm_name.h"
#include "device/serial.h"
#include "device/value_schema.h"

#define MIN_RELEASE 13 /* of FreeBSD: the releases whose bhyve this vmrun knows */
#define MAX_RELEASE 15
#define PIB_SHIFT 50
#define MAX_BARE_MIB                                                                 \
	1048576 /* numbers up to this are MiB for bhyve(8) -m and for other programs \
		 */
#define MAX_MEMORY (INT64_C(4) << PIB_SHIFT) /* bytes that amd64 and arm64 can address at most */

static void name_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);

	if (text == NULL)
		return;
	if (vm_name_is_valid(text))
		*(char **)into = mem_copy(text);
	else
		report_add(d->report, STATUS_SPEC, at,
		    "invalid VM name \"%s\": expected " VM_NAME_RULE, text, MAX_VM_NAME);
}

void spec_add_name_rule(struct str *s)
{
	schema_add_pattern(s, "^[A-Za-z0-9][A-Za-z0-9._-]*$");
	json_add_int(s, "maxLength", MAX_VM_NAME);
}

const struct field_custom name_custom = {
	.parse = name_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.schema = spec_add_name_rule,
	.host.kind = HOST_NONE,
};

int64_t cpu_count(const struct cpu *cpu)
{
	return cpu->sockets * cpu->cores * cpu->threads;
}

#define CPU_ROW(name)                                                                        \
	ROW_INT(#name, struct cpu, name, .required = true, .preset = "1", .has_range = true, \
	    .min = 1, .max = MAX_CPUS, .help = "number of " #name)

DESCRIBES(cpu_fields, struct cpu);
static const struct field cpu_fields[] = {
	CPU_ROW(threads),
	CPU_ROW(cores),
	CPU_ROW(sockets),
	{ 0 },
};

static void cpu_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct cpu *cpu = into;

	if (value->kind == NODE_OBJECT) {
		field_decode(cpu_fields, value, cpu, at, d);
		if (cpu_count(cpu) > MAX_CPUS)
			report_add(d->report, STATUS_SPEC, at,
			    "%" PRId64 " processors, at most %d are possible", cpu_count(cpu),
			    MAX_CPUS);
	} else if (value->kind == NODE_INT) {
		(void)field_integer(value, 1, MAX_CPUS, &cpu->threads, at, d);
	} else {
		field_type_error(value, "an integer or { threads, cores, sockets }", at, d);
	}
}

static void cpu_print(const void *from, struct str *json)
{
	field_print_object(cpu_fields, from, json);
}

static void cpu_schema(struct str *s)
{
	schema_add_range(s, "integer", 1, MAX_CPUS);
}

const struct field_custom cpu_custom = {
	.parse = cpu_parse,
	.print = cpu_print,
	.type = "integer",
	.schema = cpu_schema,
	.rows = ROWS_FOR(cpu_custom, cpu_fields),
};

/* Returns the bytes of "512M", or 0 with the reason reported. */
static int64_t parse_size(const char *text, const struct where *at, struct decoder *d)
{
	static const char units[] = "kmgt";
	size_t digits = strspn(text, "0123456789");
	const char *unit;
	int64_t value = 0;

	if (digits > 0 && text[digits] == '\0') {
		report_add(d->report, STATUS_SPEC, at,
		    "\"%s\" has no unit: write \"%sM\", or the number of bytes without quotes",
		    text, text);
		return 0;
	}
	unit = digits == 0 || text[digits + 1] != '\0'
	    ? NULL
	    : strchr(units, tolower((unsigned char)text[digits]));
	if (unit == NULL) {
		report_add(d->report, STATUS_SPEC, at,
		    "invalid size \"%s\": expected a whole number and one of k, M, G, T: \"512M\"",
		    text);
		return 0;
	}
	/* Beyond the limit the exact value does not matter. */
	for (size_t i = 0; i < digits && value < MAX_MEMORY; i++)
		value = value * 10 + (text[i] - '0');
	for (const char *u = units; u <= unit && value <= MAX_MEMORY; u++)
		value *= 1024;
	return value == 0 ? -1 : value;
}

/*
 * Adds a hint how to write a size that libucl may have changed.  It reads 512M without quotes as
 * 512000000, and 512Mb as a power of two (its README.md, "Convenient numbers and booleans").
 */
static void add_ucl_hint(int64_t size, struct str *text)
{
	const char *unit = "GMk";
	int64_t factor = 1000000000, n;

	for (; factor >= 1000 && size % factor != 0; factor /= 1000)
		unit++;
	if (factor < 1000)
		return;
	n = size / factor;
	str_addf(text, " (UCL makes that of %" PRId64 "%c without quotes: for %" PRId64 " %ciB ", n,
	    *unit, n, toupper((unsigned char)*unit));
	str_addf(text, "write \"%" PRId64 "%c\" or %" PRId64 "%cb)", n, *unit, n, *unit);
}

/*
 * Checks a number of bytes, which the spec has as a number or as a text with a unit.  Adds a note
 * if it is valid but perhaps not what the user meant.
 */
static bool check_bytes(int64_t size, bool is_number, const struct where *at, struct decoder *d)
{
	struct str hint = { 0 };
	bool good = size % GUEST_PAGE == 0;

	if (is_number && d->of_ucl)
		add_ucl_hint(size, &hint);
	if (is_number && hint.length == 0 && size <= MAX_BARE_MIB)
		str_addf(&hint, ", did you mean \"%" PRId64 "M\"?", size);
	if (good && hint.length == 0)
		return true;
	MEM_AUTO char *more = str_take(&hint);
	MEM_AUTO char *path = where_path(at);

	if (!good)
		report_add(d->report, STATUS_SPEC, at,
		    "%" PRId64 " bytes is not a multiple of %d KiB%s", size, GUEST_PAGE / 1024,
		    more);
	else if (d->notes != NULL)
		words_addf(d->notes, "%s is %" PRId64 " bytes%s", path, size, more);
	return good;
}

static void mem_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	int64_t size;
	const char *text;

	if (value->kind == NODE_INT) {
		size = value->integer;
	} else if (value->kind == NODE_STRING) {
		text = field_text(value, at, d);
		size = text == NULL ? 0 : parse_size(text, at, d);
		if (size == 0)
			return;
	} else {
		field_type_error(value, "a size such as \"512M\", or bytes", at, d);
		return;
	}
	if (size <= 0)
		report_add(d->report, STATUS_SPEC, at, "the size must be above 0");
	else if (size > MAX_MEMORY)
		report_add(d->report, STATUS_SPEC, at,
		    "the size is beyond %" PRId64 " PiB, more than a guest can address",
		    MAX_MEMORY >> PIB_SHIFT);
	else if (check_bytes(size, value->kind == NODE_INT, at, d))
		*(int64_t *)into = size;
}

static void mem_print(const void *from, struct str *json)
{
	json_add_int(json, NULL, *(const int64_t *)from);
}

static void mem_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	schema_add_pattern(s, "^[0-9]+[kKmMgGtT]$");
	json_end_object(s);
	json_begin_object(s, NULL);
	json_add_text(s, "type", "integer");
	json_add_int(s, "minimum", GUEST_PAGE);
	json_add_int(s, "multipleOf", GUEST_PAGE);
	json_end_object(s);
	json_end_list(s);
}

const struct field_custom mem_custom = {
	.parse = mem_parse,
	.print = mem_print,
	.type = "string|integer",
	.schema = mem_schema,
	.host.kind = HOST_NONE,
};

static const char *const bridges[] = {
	[HOSTBRIDGE_NONE] = "",
	[HOSTBRIDGE_DEFAULT] = "hostbridge",
	[HOSTBRIDGE_AMD] = "amd_hostbridge",
	[HOSTBRIDGES] = NULL,
};

_Static_assert(
    sizeof(bridges) / sizeof(bridges[0]) == HOSTBRIDGES + 1, "a word for each, and a NULL");

static void hostbridge_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	if (value->kind == NODE_BOOL && !value->truth) {
		*(int *)into = HOSTBRIDGE_NONE;
		return;
	}
	if (value->kind == NODE_STRING)
		field_choice(value, bridges, into, at, d);
	else
		field_type_error(value, "\"hostbridge\", \"amd_hostbridge\" or false", at, d);
}

static void hostbridge_print(const void *from, struct str *json)
{
	int bridge = *(const int *)from;

	if (bridge == HOSTBRIDGE_NONE)
		json_add_bool(json, NULL, false);
	else
		json_add_text(json, NULL, bridges[bridge]);
}

static void hostbridge_schema(struct str *s)
{
	json_begin_list(s, "enum");
	schema_add_choices(s, bridges);
	json_add_bool(s, NULL, false);
	json_end_list(s);
}

const struct field_custom hostbridge_custom = {
	.parse = hostbridge_parse,
	.print = hostbridge_print,
	.type = "\"hostbridge\"|\"amd_hostbridge\"|false",
	.schema = hostbridge_schema,
	.host.kind = HOST_NONE,
};

static void com_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);

	if (text == NULL)
		return;
	if (strcmp(text, "nmdm") == 0 || strcmp(text, SPEC_CONSOLE) == 0 ||
	    serial_is_backend(text)) {
		*(char **)into = mem_copy(text);
		return;
	}
	struct near near = { .wanted = text };

	near_offer(&near, "stdio");
	near_offer(&near, "nmdm");
	near_offer(&near, SPEC_CONSOLE);
	MEM_AUTO char *hint = near_hint(&near);

	report_add(d->report, STATUS_SPEC, at,
	    "invalid serial port \"%s\": expected \"stdio\", \"console\", \"nmdm\", a device such "
	    "as "
	    "\"/dev/nmdm0A\", or \"tcp=ADDR:PORT\" with a numeric address%s",
	    text, hint);
}

const struct field_custom com_custom = {
	.parse = com_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^(stdio|nmdm|console|/.+|tcp=.+:[0-9]+)$",
	.host = { .kind = HOST_BY_VALUE, .names = serial_names },
};

/* Reads a list of words, or a string, which is split as by a shell. */
static void words_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	size_t i = 0;

	if (value->kind == NODE_STRING) {
		const char *why = strlen(value->text) != value->length
		    ? "a NUL byte"
		    : words_split(into, value->text);

		if (why != NULL)
			report_add(
			    d->report, STATUS_SPEC, at, "cannot be split into words: %s", why);
		return;
	}
	if (!node_is_list(value)) {
		field_type_error(value, "a string or a list of strings", at, d);
		return;
	}
	for (const struct node *n = value->first; n != NULL; n = n->next, i++) {
		struct where entry = { at, NULL, i };
		/* An empty word is valid. */
		bool empty = n->kind == NODE_STRING && n->length == 0;
		const char *text = empty ? "" : field_text(n, &entry, d);

		if (text != NULL)
			words_take(into, mem_copy_n(text, n->length));
	}
}

static void words_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	json_add_text(s, "type", "string");
	json_end_object(s);
	json_begin_object(s, NULL);
	json_add_text(s, "type", "array");
	json_begin_object(s, "items");
	json_add_text(s, "type", "string");
	json_end_object(s);
	json_end_object(s);
	json_end_list(s);
}

const struct field_custom words_custom = {
	.parse = words_parse,
	.print = field_print_words,
	.clear = field_clear_words,
	.type = "string|string[]",
	.schema = words_schema,
	.host = { .kind = HOST_FORBIDDEN, .reaches = "passes words on unchecked" },
};

/* Makes the path of a command's program absolute; a relative one starts at the spec's directory. */
static void place_program(struct words *command, const struct decoder *d)
{
	char *program;

	if (command->count == 0 || strchr(command->item[0], '/') == NULL)
		return;
	program = field_path(command->item[0], d->directory);
	free(command->item[0]);
	command->item[0] = program;
}

static void command_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	words_parse(value, into, at, d);
	place_program(into, d);
}

const struct field_custom command_custom = {
	.parse = command_parse,
	.print = field_print_words,
	.clear = field_clear_words,
	.type = "string|string[]",
	.schema = words_schema,
	.host = { .kind = HOST_FORBIDDEN, .reaches = "runs a command of the host" },
};

/* Reads the words before another command, none of which may be empty. */
static void prefix_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	if (!node_is_list(value)) {
		field_type_error(value, "a list of words such as [\"nice\", \"-n\", \"5\"]", at, d);
		return;
	}
	field_add_texts(value, into, at, d);
	place_program(into, d);
}

static void prefix_schema(struct str *s)
{
	json_add_text(s, "type", "array");
	json_begin_object(s, "items");
	json_add_text(s, "type", "string");
	json_add_int(s, "minLength", 1);
	json_end_object(s);
}

const struct field_custom prefix_custom = {
	.parse = prefix_parse,
	.print = field_print_words,
	.clear = field_clear_words,
	.type = "string[]",
	.is_list = true,
	.schema = prefix_schema,
	.host = { .kind = HOST_FORBIDDEN, .reaches = "runs a command of the host" },
};

/* Reads a major release that this vmrun knows. */
static void release_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	(void)field_integer(value, MIN_RELEASE, MAX_RELEASE, into, at, d);
}

static void release_print(const void *from, struct str *json)
{
	field_print_integer(*(const int64_t *)from, 0, json);
}

static void release_schema(struct str *s)
{
	json_begin_list(s, "enum");
	for (int release = MIN_RELEASE; release <= MAX_RELEASE; release++)
		json_add_int(s, NULL, release);
	json_end_list(s);
}

const struct field_custom release_custom = {
	.parse = release_parse,
	.print = release_print,
	.type = "13|14|15",
	.schema = release_schema,
	.host.kind = HOST_NONE,
};
