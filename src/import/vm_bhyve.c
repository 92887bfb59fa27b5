/* Guests of vm-bhyve: the import, and what of a .conf has no counterpart. */
#include "import/vm_bhyve.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "import/vm_bhyve_guest.h"

#define CONF_SUFFIX ".conf"
#define FIRST_SLOT "4" /* of the disks; 3 is that of the CD */
#define LPC_SLOT 31

/* Returns the directory of an absolute path, "/" for one at the root.  Caller frees. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL || slash == path ? mem_copy("/")
					      : mem_copy_n(path, (size_t)(slash - path));
}

/* Finds the guest's name and directory: a .conf is DATASTORE/NAME/NAME.conf. */
static void find_guest(struct guest *g, const struct import_source *source)
{
	const char *slash = source->path == NULL ? NULL : strrchr(source->path, '/');
	const char *base = slash != NULL ? slash + 1 : source->path;
	size_t n = base == NULL ? 0 : strlen(base);

	if (n > strlen(CONF_SUFFIX) && strcmp(base + n - strlen(CONF_SUFFIX), CONF_SUFFIX) == 0)
		n -= strlen(CONF_SUFFIX);
	g->name = base == NULL ? mem_copy(IMPORT_NAME) : mem_copy_n(base, n);
	g->directory = mem_copy(source->directory);
	g->datastore = directory_of(g->directory);
}

/* Reports a key that is set twice: vm-bhyve takes the first, sysrc(8) changes the last. */
static void refuse_duplicates(struct guest *g)
{
	for (size_t i = 0; i < g->conf.count; i++) {
		const struct conf_setting *setting = &g->conf.item[i];
		const struct conf_setting *first = conf_find(&g->conf, setting->key);

		if (first != setting)
			guest_fault(g, setting->key,
			    "duplicate key, also on line %zu: vm-bhyve reads the first; remove one",
			    setting->line);
	}
}

static void note_prestart(struct guest *g)
{
	const char *script = guest_get_or(g, "prestart", "");
	MEM_AUTO char *path = NULL;

	if (*script == '\0')
		return;
	path = *script == '/' ? mem_copy(script) : mem_format("%s/%s", g->directory, script);
	guest_note(g,
	    "prestart: name a hook file in \"hooks\" with: return { on_start = function() "
	    "vmrun.exec{\"%s\", \"%s\"} end }",
	    path, g->name);
}

/* Names what rctl(8) limits: the process of the hypervisor, once it runs. */
static void note_limits(struct guest *g)
{
	static const char *const limits[][2] = { { "limit_pcpu", "pcpu:deny" },
		{ "limit_rbps", "readbps:throttle" }, { "limit_wbps", "writebps:throttle" },
		{ "limit_riops", "readiops:throttle" }, { "limit_wiops", "writeiops:throttle" } };

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const char *value = guest_get_or(g, limits[i][0], "");

		if (*value != '\0')
			guest_note(g,
			    "%s: call rctl in an on_started hook: vmrun.exec{\"rctl\", \"-a\", "
			    "\"process:\" .. boot.pid .. \":%s=%s\"}",
			    limits[i][0], limits[i][1], value);
	}
}

/* Names the settings that no key of the spec carries, with what to do instead. */
static void note_others(struct guest *g)
{
	const char *priority = guest_get_or(g, "priority", "");

	if (*priority != '\0')
		guest_note(g, "priority: write \"prefix\": [\"nice\", \"-n\", \"%s\"]", priority);
	note_limits(g);
	note_prestart(g);
	if (guest_yes(g, "debug", "no"))
		guest_note(g,
		    "debug: vmrun always passes bhyve's messages on to stderr (--syslog: to "
		    "syslog), and keeps the last of them in its history");
}

/* What vm-bhyve knows under a key: NAME, or NAME, a number and _SUFFIX. */
static const struct {
	const char *begin; /* of the key */
	const char *why;   /* it is left out when nothing has read it */
} known_keys[] = {
	{ "disk",
	    "vm-bhyve counts from disk0 on, up to the first without both a _name and a _type" },
	{ "network",
	    "vm-bhyve counts from network0 on, up to the first without a _type, and makes no "
	    "interface without a _switch" },
	{ "passthru", "the numbers end before it: count from passthru0 without a gap" },
	{ "virt_console", "the numbers end before it: count from virt_console0 without a gap" },
	{ "grub_", "only guests with loader=\"grub\" use it, which count from 0 without a gap" },
	{ "bhyveload_", "only guests with loader=\"bhyveload\" use it" },
	{ "loader_timeout", "only guests with loader=\"bhyveload\" or \"grub\" use it" },
	{ "uefi_vars", "only guests with firmware use it" },
	{ "nulliso_fix", "only guests with loader=\"uefi\" use it" },
	{ "graphics", "only guests with firmware and graphics=\"yes\" have a screen" },
	{ "vnc_password", "only guests with firmware and graphics=\"yes\" have a screen" },
	{ "sound_", "only guests with sound=\"yes\" use it" },
	{ "tags", "vmrun has no tags" },
	{ "zfs_", "vm-bhyve uses it only when it creates a guest" },
};

/* Returns whether a key is "disk0_size", which vm-bhyve uses only when it creates a guest. */
static bool is_disk_size(const char *key)
{
	const char *disk = str_after(key, "disk");

	return disk != NULL && strcmp(disk + strspn(disk, "0123456789"), "_size") == 0;
}

static const char *why_unused(const char *key)
{
	if (is_disk_size(key))
		return "vm-bhyve uses it only when it creates a guest";
	for (size_t i = 0; i < sizeof(known_keys) / sizeof(known_keys[0]); i++) {
		if (str_after(key, known_keys[i].begin) != NULL)
			return known_keys[i].why;
	}
	return "unknown to vm-bhyve, which ignores it";
}

/* Names each line, and each setting, that vm-bhyve does not read for this guest. */
static void note_unused(struct guest *g)
{
	for (size_t i = 0; i < g->conf.ignored.count; i++)
		guest_note(g,
		    "%s: left out: vm-bhyve ignores a line that does not begin with a lower-case "
		    "letter",
		    g->conf.ignored.item[i]);
	for (size_t i = 0; i < g->conf.count; i++) {
		const struct conf_setting *setting = &g->conf.item[i];

		if (!setting->used)
			guest_note(g, "%s: left out: %s", setting->key, why_unused(setting->key));
	}
}

/* Reads the first slot of the devices. */
static void read_start_slot(struct guest *g)
{
	const char *text = guest_get_or(g, "start_slot", FIRST_SLOT);

	g->next.limit = LPC_SLOT;
	if (!guest_is_number(text) || strlen(text) > 2 || atoi(text) > LPC_SLOT)
		guest_fault(g, "start_slot", "invalid slot \"%s\": expected 0 to 31", text);
	else
		g->next.slot = atoi(text);
}

/* Adds the devices in the order in which vm-bhyve gives them slots. */
static void add_devices(struct guest *g)
{
	g->devices = node_new(NODE_LIST);
	read_start_slot(g);
	guest_add_disks(g);
	guest_add_networks(g);
	guest_add_random(g);
	guest_add_passthru(g);
	guest_add_other_devices(g);
	if (g->next.bus > 0)
		guest_put_flag(g->spec, "disable_mptable_gen", true);
}

static void read_guest(struct guest *g)
{
	refuse_duplicates(g);
	g->loader = guest_get_or(g, "loader", "");
	g->has_firmware = strcmp(g->loader, "uefi") == 0 || str_after(g->loader, "uefi-") != NULL;
	if (*g->loader == '\0')
		guest_fault(g, "loader", "missing: vm-bhyve does not start a guest without it");
	guest_add_machine(g);
	guest_add_options(g);
	add_devices(g);
	if (*g->loader != '\0')
		guest_add_loader(g);
	guest_add_install(g);
	guest_add_policy(g);
	note_others(g);
	note_unused(g);
	node_put(g->spec, "emulations", g->devices);
}

int import_vm_bhyve(const struct import_source *source, struct import *out, struct report *report)
{
	struct guest g = { .path = source->path,
		.source = import_name(source),
		.notes = &out->notes,
		.report = report };
	size_t before = report->count;

	g.spec = out->spec;
	conf_read(&g.conf, source->text, source->length);
	find_guest(&g, source);
	import_put_name(out, g.name);
	read_guest(&g);
	conf_free(&g.conf);
	free(g.name);
	free(g.directory);
	free(g.datastore);
	free(g.cpu);
	free(g.console);
	return report->count == before ? 0 : -1;
}
