/* The key `loader`: what loads a guest without firmware. */
#include <string.h>

#include "base/json_write.h"
#include "base/str.h"
#include "device/host_use.h"
#include "device/serial.h"
#include "device/value_schema.h"
#include "spec/keys.h"

static const char *const types[] = {
	[LOADER_NONE] = "",
	[LOADER_BHYVELOAD] = "bhyveload",
	[LOADER_GRUB] = "grub",
	[LOADER_TYPES] = NULL,
};

_Static_assert(sizeof(types) / sizeof(types[0]) == LOADER_TYPES + 1, "a word for each, and a NULL");

/*
 * grub-bhyve has the host's files as the device (host), which is its root unless -r names another
 * (grub2-bhyve, kern/emu/main.c and hostfs.c).
 */
#define READS_HOST "lets grub-bhyve read any file of the host"

static void root_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const struct loader *loader =
	    (const void *)((const char *)value - offsetof(struct loader, root));

	if (loader->type != LOADER_GRUB)
		return;
	if (loader->root == NULL)
		host_found(visit, HOST_INVALID,
		    "\"root\" must name a disk such as \"hd0\": without it grub-bhyve reads files "
		    "of the host",
		    at);
	else if (str_after(loader->root, "host") != NULL)
		host_found(visit, HOST_FORBIDDEN, READS_HOST, at);
}

/* clang-format off */
DESCRIBES(loader_fields, struct loader);
static const struct field loader_fields[] = {
	ROW_CHOICE("type", struct loader, type, types, .required = true,
	    .help = "loader program: bhyveload or grub"),
	ROW_CUSTOM("timeout", struct loader, timeout_ms, seconds_custom, .preset = "15",
	    .help = "time limit of the loader: seconds, 0.01 to 3600"),
	ROW_STRING("console", struct loader, console,
	    .host = { .kind = HOST_BY_VALUE, .names = serial_names },
	    .help = "console of the loader: stdio or a terminal device; default: as com1"),
	ROW_WORDS("disks", struct loader, disks, .host.kind = HOST_PATH,
	    .help = "bhyveload: disks to search; default: the disks of the spec"),
	ROW_MAP("env", struct loader, env, .host.kind = HOST_NONE,
	    .help = "bhyveload: variables for the FreeBSD loader"),
	ROW_PATH("host_dir", struct loader, host_dir,
	    .host = { .kind = HOST_FORBIDDEN, .reaches = "lets the guest's loader read the host" },
	    .help = "bhyveload: host directory that the loader may read"),
	ROW_PATH("os_loader", struct loader, os_loader,
	    .host = { .kind = HOST_FORBIDDEN, .reaches = "runs code of the host" },
	    .help = "bhyveload: loader to run instead of userboot.so"),
	ROW_PATH("device_map", struct loader, device_map,
	    .host = { .kind = HOST_FORBIDDEN, .reaches = "is a file that names any path of the host" },
	    .help = "grub: device map file; default: made from the disks of the spec"),
	ROW_STRING("root", struct loader, root,
	    .host = { .kind = HOST_BY_VALUE, .names = root_names },
	    .help = "grub: partition to boot from, such as hd0,msdos1"),
	ROW_STRING("dir", struct loader, dir, .host.kind = HOST_NONE,
	    .help = "grub: directory of the configuration file on the guest's disk"),
	ROW_STRING("config", struct loader, config, .host.kind = HOST_NONE,
	    .help = "grub: name of the configuration file"),
	ROW_WORDS("commands", struct loader, commands,
	    .host = { .kind = HOST_FORBIDDEN, .reaches = READS_HOST },
	    .help = "grub: lines that vmrun writes to its standard input"),
	{ 0 },
};
/* clang-format on */

static const char *const of_bhyveload[] = { "disks", "env", "host_dir", "os_loader", NULL };
static const char *const of_grub[] = { "device_map", "root", "dir", "config", "commands", NULL };

static void refuse_foreign(const struct node *value, const char *const *keys, const char *owner,
    const struct where *at, struct decoder *d)
{
	for (size_t i = 0; keys[i] != NULL; i++) {
		const struct node *n = node_get(value, keys[i]);
		struct where here = { at, keys[i], 0 };

		if (n != NULL && n->kind != NODE_NULL)
			report_add(d->report, STATUS_SPEC, &here, "this key is for %s only", owner);
	}
}

static void check_values(const struct loader *loader, const struct where *at, struct decoder *d)
{
	struct where commands = { at, "commands", 0 };
	struct where env = { at, "env", 0 }, console = { at, "console", 0 };

	for (size_t i = 0; i < loader->env.count; i++) {
		struct where here = { &env, loader->env.item[i].key, 0 };

		if (strchr(loader->env.item[i].key, '=') != NULL ||
		    *loader->env.item[i].key == '\0')
			report_add(d->report, STATUS_SPEC, &here,
			    "invalid variable name: expected one that is not empty and has no "
			    "\"=\"");
	}
	for (size_t i = 0; i < loader->commands.count; i++) {
		struct where here = { &commands, NULL, i };

		if (strchr(loader->commands.item[i], '\n') != NULL)
			report_add(
			    d->report, STATUS_SPEC, &here, "a command cannot contain a line break");
	}
	if (loader->console != NULL && strcmp(loader->console, "stdio") != 0 &&
	    *loader->console != '/')
		report_add(d->report, STATUS_SPEC, &console,
		    "invalid console \"%s\": expected \"stdio\" or a terminal device such as "
		    "\"/dev/nmdm0A\"",
		    loader->console);
}

/* Makes the paths of disks absolute, as all paths of the spec. */
static void make_absolute(struct words *paths, const char *directory)
{
	struct words made = { 0 };

	for (size_t i = 0; i < paths->count; i++)
		words_take(&made, field_path(paths->item[i], directory));
	words_free(paths);
	*paths = made;
}

static void loader_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct loader *loader = into;
	size_t before = d->report->count;

	if (value->kind == NODE_STRING) {
		field_choice(value, types, &loader->type, at, d);
		return;
	}
	if (!node_is_object(value)) {
		field_type_error(value, "\"bhyveload\", \"grub\" or { \"type\": ..., ... }", at, d);
		return;
	}
	field_decode(loader_fields, value, loader, at, d);
	if (d->report->count != before)
		return;
	if (loader->type == LOADER_GRUB)
		refuse_foreign(value, of_bhyveload, "bhyveload", at, d);
	else
		refuse_foreign(value, of_grub, "grub", at, d);
	make_absolute(&loader->disks, d->directory);
	check_values(loader, at, d);
}

static void loader_print(const void *from, struct str *json)
{
	const struct loader *loader = from;

	if (loader->type == LOADER_NONE)
		json_add_null(json, NULL);
	else
		field_print_object(loader_fields, loader, json);
}

static void loader_clear(void *what)
{
	field_clear(loader_fields, what);
}

static void loader_schema(struct str *s)
{
	schema_add_enum(s, types);
}

const struct field_custom loader_custom = {
	.parse = loader_parse,
	.print = loader_print,
	.clear = loader_clear,
	.type = "\"bhyveload\"|\"grub\"",
	.schema = loader_schema,
	.rows = ROWS_FOR(loader_custom, loader_fields),
};
