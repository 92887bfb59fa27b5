/* The keys that describe the machine: name, cpu, host bridge, serial ports. */
#include "spec/keys.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/vm_name.h"
#include "device/serial.h"
#include "device/value_schema.h"

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
	    "as \"/dev/nmdm0A\", or \"tcp=ADDR:PORT\" with a numeric address%s",
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

/* Adds the schema of any string. */
static void add_string(struct str *s, const char *key)
{
	json_begin_object(s, key);
	json_add_text(s, "type", "string");
	json_end_object(s);
}

static void words_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	add_string(s, NULL);
	json_begin_object(s, NULL);
	json_add_text(s, "type", "array");
	add_string(s, "items");
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

static void refuse_program(const struct where *at, struct decoder *d)
{
	report_add(
	    d->report, STATUS_SPEC, at, "missing program: expected a list that begins with one");
}

/* Reads a command; one without a word is none. */
static void command_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const struct words *command = into;

	words_parse(value, into, at, d);
	if (command->count > 0 && *command->item[0] == '\0')
		refuse_program(at, d);
	place_program(into, d);
}

/* Adds the schema of a list of at least `min` words.  The first word is not empty. */
static void add_command_list(struct str *s, int64_t min)
{
	json_begin_object(s, NULL);
	json_add_text(s, "type", "array");
	if (min > 0)
		json_add_int(s, "minItems", min);
	json_begin_list(s, "prefixItems");
	schema_add_text(s, NULL);
	json_end_list(s);
	add_string(s, "items");
	json_end_object(s);
}

static void command_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	add_string(s, NULL);
	add_command_list(s, 0);
	json_end_list(s);
}

const struct field_custom command_custom = {
	.parse = command_parse,
	.print = field_print_words,
	.clear = field_clear_words,
	.type = "string|string[]",
	.schema = command_schema,
	.host = { .kind = HOST_FORBIDDEN, .reaches = "runs a command of the host" },
};

/* Reads a command that cannot be empty. */
static void program_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const struct words *command = into;
	size_t before = d->report->count;

	command_parse(value, into, at, d);
	if (d->report->count == before && command->count == 0)
		refuse_program(at, d);
}

static void program_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	schema_add_pattern(s, "[^ \\t\\n]");
	json_end_object(s);
	add_command_list(s, 1);
	json_end_list(s);
}

const struct field_custom program_custom = {
	.parse = program_parse,
	.print = field_print_words,
	.clear = field_clear_words,
	.type = "string|string[]",
	.schema = program_schema,
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
