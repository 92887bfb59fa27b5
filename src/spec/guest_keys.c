/*
 * The keys for what a guest sees: UUID, CPU pinning, memory domains, fw_cfg, SMBIOS, TPM; and the
 * debugger's port.  Facts: bhyve(8), bhyve_config(5) and their sources.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/str.h"
#include "device/host_use.h"
#include "device/value_schema.h"
#include "platform/os.h"
#include "platform/port.h"
#include "spec/keys.h"

#define MAX_FWCFG_NAME 55 /* the field of fwctl and QEMU has 56 bytes including a NUL */
#define MAX_CPU_DIGITS 5
#define UUID_VARIANT 19 /* the first digit of the fourth group */

static const char *const tpm_types[] = {
	[TPM_NONE] = "",
	[TPM_PASSTHRU] = "passthru",
	[TPM_SWTPM] = "swtpm",
	[TPM_TYPES] = NULL,
};

_Static_assert(
    sizeof(tpm_types) / sizeof(tpm_types[0]) == TPM_TYPES + 1, "a word for each, and a NULL");

/* Reads a number up to the character `stop`.  Returns -1 unless it is a number below `limit`. */
static long read_number(const char *text, char stop, long limit, const char **rest)
{
	char *end;
	long number = strtol(text, &end, 10);

	*rest = *end == '\0' ? end : end + 1;
	return isdigit((unsigned char)*text) && *end == stop && number < limit ? number : -1;
}

/* Returns an address or a name without brackets, which bhyve would refuse.  NULL if malformed. */
static char *read_host(const char *text, size_t n)
{
	bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';
	char *host = mem_copy_n(text + (brackets ? 1 : 0), n - (brackets ? 2 : 0));
	bool good = *host != '\0';

	for (const char *p = host; *p != '\0'; p++)
		good = good && (isalnum((unsigned char)*p) || strchr(".-_:%", *p) != NULL);
	if (brackets || strpbrk(host, ":%") != NULL)
		good = good && strchr(host, ':') != NULL && port_is_numeric(host);
	else if (host[strspn(host, "0123456789.")] == '\0')
		good = good && port_is_numeric(host); /* no name, which bhyve would look up */
	if (good)
		return host;
	free(host);
	return NULL;
}

/*
 * Returns whether bhyve would take the `w` before a host's name for "wait", though it may belong to
 * the name.
 */
static bool is_doubtful(bool wait, const char *host)
{
	return wait && strcmp(host, "localhost") != 0 && strchr(host, ':') == NULL &&
	    host[strspn(host, "0123456789.")] != '\0';
}

static void gdb_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);
	bool wait = text != NULL && *text == 'w';
	const char *place = text == NULL ? "" : text + (wait ? 1 : 0);
	const char *colon = strrchr(place, ':'), *rest;
	MEM_AUTO char *host = colon == NULL ? NULL : read_host(place, (size_t)(colon - place));
	long port = read_number(colon == NULL ? place : colon + 1, '\0', MAX_PORT + 1, &rest);

	if (text == NULL)
		return;
	if (port < 1 || (colon != NULL && host == NULL))
		report_add(d->report, STATUS_SPEC, at,
		    "invalid debugger address \"%s\": expected \"[w][ADDR:]PORT\" such as "
		    "\"1234\" or \"w127.0.0.1:1234\"",
		    text);
	else if (host != NULL && is_doubtful(wait, host))
		report_add(d->report, STATUS_SPEC, at,
		    "\"%s\": bhyve takes the first w for \"wait\" and the host for \"%s\": give "
		    "its numeric address",
		    text, host);
	else
		*(char **)into = mem_format("%s%s%s%ld", wait ? "w" : "", host == NULL ? "" : host,
		    host == NULL ? "" : ":", port);
}

/* Finds ADDR:PORT; without an address, both hypervisors listen on loopback. */
static void gdb_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const char *text = *(char *const *)value;
	const char *place = text == NULL ? NULL : text + (*text == 'w' ? 1 : 0);
	const char *colon = place == NULL ? NULL : strrchr(place, ':');
	MEM_AUTO char *bracketed = NULL;

	if (colon == NULL)
		return;
	if (strchr(place, ':') != colon)
		bracketed = mem_format("[%.*s]%s", (int)(colon - place), place, colon);
	host_found(visit, HOST_ADDRESS, bracketed != NULL ? bracketed : place, at);
}

const struct field_custom gdb_custom = {
	.parse = gdb_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^w?([^, ]+:)?[0-9]+$",
	.host = { .kind = HOST_BY_VALUE, .names = gdb_names },
};

static void uuid_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	bool none = value->kind == NODE_BOOL && !value->truth;
	const char *text = none ? NULL : field_text(value, at, d);
	bool good;

	if (none)
		*(char **)into = mem_copy(UUID_NONE);
	if (text == NULL)
		return;
	good = strlen(text) == strlen(form);
	for (size_t i = 0; good && form[i] != '\0'; i++)
		good = form[i] == '-' ? text[i] == '-' : isxdigit((unsigned char)text[i]) != 0;
	if (good && strchr("eEfF", text[UUID_VARIANT]) != NULL)
		report_add(d->report, STATUS_SPEC, at,
		    "invalid UUID \"%s\": no variant has a fourth group of e000 or above, at which "
		    "bhyve ends: expected 0000 to dfff",
		    text);
	else if (good)
		*(char **)into = mem_copy(text);
	else
		report_add(
		    d->report, STATUS_SPEC, at, "invalid UUID \"%s\": expected %s", text, form);
}

static void uuid_schema(struct str *s)
{
	schema_add_pattern_or_false(
	    s, "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){2}-[0-9A-Da-d][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$");
}

const struct field_custom uuid_custom = {
	.parse = uuid_parse,
	.print = field_print_text_or_false,
	.clear = field_clear_text,
	.type = "string|false",
	.schema = uuid_schema,
	.host.kind = HOST_NONE,
};

static void rom_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text;

	if (value->kind == NODE_BOOL && !value->truth) {
		*(char **)into = mem_copy(ROM_NONE);
		return;
	}
	if (value->kind != NODE_STRING) {
		field_type_error(value, "a path or false", at, d);
		return;
	}
	text = field_text(value, at, d);
	if (text != NULL)
		*(char **)into = field_path(text, d->directory);
}

static void rom_schema(struct str *s)
{
	schema_add_pattern_or_false(s, "^[^\\u0000]+$");
}

const struct field_custom rom_custom = {
	.parse = rom_parse,
	.print = field_print_text_or_false,
	.clear = field_clear_text,
	.type = "string|false",
	.schema = rom_schema,
	.host.kind = HOST_FIRMWARE,
};

static void pin_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	size_t i = 0;

	if (!node_is_list(value)) {
		field_type_error(value, "a list of \"VCPU:CPU\"", at, d);
		return;
	}
	for (const struct node *n = value->first; n != NULL; n = n->next, i++) {
		struct where here = { at, NULL, i };
		const char *text = field_text(n, &here, d), *host, *rest;
		long vcpu, cpu;

		if (text == NULL)
			continue;
		vcpu = read_number(text, ':', MAX_CPUS, &host);
		cpu = read_number(host, '\0', MAX_HOST_CPUS, &rest);
		if (vcpu < 0 || cpu < 0)
			report_add(d->report, STATUS_SPEC, &here,
			    "invalid pin \"%s\": expected \"VCPU:CPU\" such as \"0:12\", CPU "
			    "below %d",
			    text, MAX_HOST_CPUS);
		else /* without leading zeros, which bhyve would read as octal */
			words_addf(into, "%ld:%ld", vcpu, cpu);
	}
}

static void pin_schema(struct str *s)
{
	json_add_text(s, "type", "array");
	json_begin_object(s, "items");
	schema_add_pattern(s, "^[0-9]+:[0-9]+$");
	json_end_object(s);
}

const struct field_custom pin_custom = {
	.parse = pin_parse,
	.print = field_print_words,
	.clear = field_clear_words,
	.type = "string[]",
	.is_list = true,
	.schema = pin_schema,
	.host.kind = HOST_NONE,
};

/* Skips a number.  Returns false for a leading zero, which bhyve would read as octal. */
static bool skip_number(const char **p)
{
	size_t digits = strspn(*p, "0123456789");
	bool good = digits > 0 && digits <= MAX_CPU_DIGITS && (digits == 1 || **p != '0');

	*p += digits;
	return good;
}

/* Returns whether the text is a list of numbers and ascending ranges: "0-3,8". */
static bool is_number_list(const char *p)
{
	for (;;) {
		long first = strtol(p, NULL, 10);
		bool good = skip_number(&p);

		if (good && *p == '-') {
			p++;
			good = strtol(p, NULL, 10) >= first && skip_number(&p);
		}
		if (!good || *p == '\0')
			return good;
		if (*p++ != ',')
			return false;
	}
}

static void cpus_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);

	if (text != NULL && is_number_list(text))
		*(char **)into = mem_copy(text);
	else if (text != NULL)
		report_add(d->report, STATUS_SPEC, at,
		    "invalid processor list \"%s\": expected one such as \"0-3,8\"", text);
}

DESCRIBES(cpus_custom, char *);
static const struct field_custom cpus_custom = {
	.parse = cpus_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$",
	.host.kind = HOST_NONE,
};

/* Reads a policy of cpuset(1) -n that a domain can have. */
static void policy_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	static const char *const words[] = { "first-touch", "ft", "round-robin", "rr" };
	static const char *const lists[] = { "prefer:", "interleave:", "il:" };
	const char *text = field_text(value, at, d);
	bool good = false;

	if (text == NULL)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		good = good || strcmp(text, words[i]) == 0;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const char *list = str_after(text, lists[i]);

		good = good || (list != NULL && is_number_list(list));
	}
	if (good)
		*(char **)into = mem_copy(text);
	else
		report_add(d->report, STATUS_SPEC, at,
		    "invalid policy \"%s\": expected \"first-touch\", \"round-robin\", "
		    "\"interleave:0,1\" or \"prefer:0\"",
		    text);
}

DESCRIBES(policy_custom, char *);
static const struct field_custom policy_custom = {
	.parse = policy_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^(first-touch|ft|round-robin|rr|(prefer|interleave|il):[0-9]+([,-][0-9]+)*)$",
	.host.kind = HOST_NONE,
};

/* Reads the name of a file in /usr/share/bhyve/kbdlayout; bhyve silently ignores any other name. */
static void layout_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);
	bool good = text != NULL && *text != '.';

	for (const char *p = good ? text : ""; *p != '\0'; p++)
		good = good && (isalnum((unsigned char)*p) || strchr("._-", *p) != NULL);
	if (good)
		*(char **)into = mem_copy(text);
	else if (text != NULL)
		report_add(d->report, STATUS_SPEC, at,
		    "unknown keyboard layout \"%s\": expected the name of a file in "
		    "/usr/share/bhyve/kbdlayout such as \"de_noacc\"",
		    text);
}

const struct field_custom layout_custom = {
	.parse = layout_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$",
	.host.kind = HOST_NONE,
};

static void domain_size_print(const void *from, struct str *json)
{
	field_print_integer(*(const int64_t *)from, 0, json);
}

static void domain_size_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	mem_custom.parse(value, into, at, d);
}

static void domain_size_schema(struct str *s)
{
	mem_custom.schema(s);
}

DESCRIBES(domain_size_custom, int64_t);
static const struct field_custom domain_size_custom = {
	.parse = domain_size_parse,
	.print = domain_size_print,
	.type = "string|integer",
	.schema = domain_size_schema,
	.host.kind = HOST_NONE,
};

/* clang-format off */
const struct field numa_fields[] = {
	ROW_INT("id", struct numa_domain, id, .required = true, .has_range = true, .min = 0,
	    .max = MAX_NUMA_DOMAINS - 1, .help = "number of the domain; domains count from 0"),
	ROW_CUSTOM("size", struct numa_domain, size, domain_size_custom,
	    .help = "memory, \"1G\" or bytes; in all domains, sum mem, or in none"),
	ROW_CUSTOM("cpus", struct numa_domain, cpus, cpus_custom, .required = true,
	    .help = "guest processors of the domain, such as \"0-3,8\""),
	ROW_CUSTOM("domain_policy", struct numa_domain, domain_policy, policy_custom,
	    .help = "memory policy on the host, as for cpuset(1) -n: \"prefer:0\""),
	{ 0 },
};

const struct field fwcfg_fields[] = {
	ROW_STRING("name", struct fwcfg_item, name, .required = true,
	    .max_length = MAX_FWCFG_NAME, .one_line = true, .host.kind = HOST_NONE,
	    .help = "name under which the guest finds the item"),
	ROW_STRING("string", struct fwcfg_item, string, .host.kind = HOST_NONE,
	    .help = "contents of the item, as text"),
	ROW_PATH("file", struct fwcfg_item, file, .host.kind = HOST_PATH,
	    .help = "file with the contents of the item"),
	{ 0 },
};

#define SMBIOS(group, key, text) \
	ROW_STRING(#key, struct smbios, group.key, .one_line = true, .host.kind = HOST_NONE, \
	    .help = text)

DESCRIBES(bios_fields, struct smbios);
static const struct field bios_fields[] = {
	SMBIOS(bios, vendor, "vendor of the firmware"),
	SMBIOS(bios, version, "version of the firmware"),
	SMBIOS(bios, release_date, "release date of the firmware"),
	{ 0 },
};

DESCRIBES(system_fields, struct smbios);
static const struct field system_fields[] = {
	SMBIOS(system, family_name, "product family of the machine"),
	SMBIOS(system, manufacturer, "manufacturer of the machine"),
	SMBIOS(system, product_name, "product name of the machine"),
	SMBIOS(system, serial_number, "serial number of the machine"),
	SMBIOS(system, sku, "stock keeping unit (SKU) of the machine"),
	SMBIOS(system, version, "version of the machine"),
	{ 0 },
};

DESCRIBES(board_fields, struct smbios);
static const struct field board_fields[] = {
	SMBIOS(board, manufacturer, "manufacturer of the board"),
	SMBIOS(board, version, "version of the board"),
	SMBIOS(board, product_name, "product name of the board"),
	SMBIOS(board, serial_number, "serial number of the board"),
	SMBIOS(board, asset_tag, "asset tag of the board"),
	SMBIOS(board, location, "location of the board in the chassis"),
	{ 0 },
};

DESCRIBES(chassis_fields, struct smbios);
static const struct field chassis_fields[] = {
	SMBIOS(chassis, manufacturer, "manufacturer of the chassis"),
	SMBIOS(chassis, version, "version of the chassis"),
	SMBIOS(chassis, serial_number, "serial number of the chassis"),
	SMBIOS(chassis, asset_tag, "asset tag of the chassis"),
	SMBIOS(chassis, sku, "stock keeping unit (SKU) of the chassis"),
	{ 0 },
};

/* Groups: the rows of all of them are members of one struct. */
const struct field smbios_fields[] = {
	ROW_GROUP("bios", struct smbios, bios_fields, .help = "firmware strings in SMBIOS"),
	ROW_GROUP("system", struct smbios, system_fields, .help = "machine strings in SMBIOS"),
	ROW_GROUP("board", struct smbios, board_fields, .help = "board strings in SMBIOS"),
	ROW_GROUP("chassis", struct smbios, chassis_fields, .help = "chassis strings in SMBIOS"),
	{ 0 },
};

const struct field tpm_fields[] = {
	ROW_CHOICE("type", struct tpm, type, tpm_types, .required = true,
	    .help = "passthru (the TPM of the host) or swtpm (an emulated TPM)"),
	ROW_PATH("path", struct tpm, path, .required = true, .host.kind = HOST_PATH,
	    .help = "passthru: TPM device of the host; swtpm: its socket"),
	ROW_BOOL("managed", struct tpm, managed, .quiet = true,
	    .host = { .kind = HOST_FORBIDDEN, .reaches = "runs swtpm on the host" },
	    .help = "swtpm: vmrun starts and stops swtpm with each boot"),
	ROW_STRING("version", struct tpm, version, .host.kind = HOST_NONE,
	    .help = "TPM version; must be 2.0"),
	{ 0 },
};
/* clang-format on */
