/*
 * bhyve's variables of the machine, as keys of a spec.  A default of vmrun that bhyve does not have
 * is switched off where the variable is missing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "hyper/bhyve_plan.h"
#include "import/bhyve_values.h"
#include "import/tree_reader.h"

#define FWCFG_RELEASE 14	 /* bhyve has fw_cfg */
#define PLAIN_BOOTROM_RELEASE 15 /* bhyve loads firmware without an lpc */
#define MAX_DOMAINS 8

static const char *get(const struct tree_reader *r, const char *key)
{
	return pairs_get(r->tree, key);
}

static void put_text(struct node *object, const char *key, const char *value)
{
	if (value != NULL)
		node_put(object, key, node_string(value));
}

static void put_path(const struct tree_reader *r, const char *key, const char *value)
{
	MEM_AUTO char *path = value == NULL ? NULL : field_path(value, r->directory);

	put_text(r->spec, key, path);
}

/* Reports a value that bhyve would refuse. */
static void refuse(const struct tree_reader *r, const char *key, char *why)
{
	if (why != NULL)
		report_add(r->report, STATUS_SPEC, NULL, "%s: %s", key, why);
	free(why);
}

static void read_cpu(const struct tree_reader *r)
{
	static const char *const keys[] = { "cpus", "sockets", "cores", "threads" };
	struct bhyve_cpus cpus = { 0 };
	struct node *cpu = NULL;

	for (size_t i = 0; i < 4; i++) {
		const char *value = get(r, keys[i]);

		if (value != NULL && !bhyve_cpus_set(&cpus, keys[i], value))
			report_add(r->report, STATUS_SPEC, NULL,
			    "%s: invalid number \"%s\": expected 1 to %d", keys[i], value,
			    MAX_CPUS);
	}
	refuse(r, "processors", bhyve_cpus_node(&cpus, &cpu));
	if (cpu != NULL)
		node_put(r->spec, "cpu", cpu);
}

static void read_memory(const struct tree_reader *r)
{
	const char *size = get(r, "memory.size");
	MEM_AUTO char *text = NULL;

	refuse(r, "memory.size", bhyve_memory_text(size == NULL ? BHYVE_MEMORY : size, &text));
	put_text(r->spec, "mem", text);
}

/* Returns whether a flag is on; bhyve's own default holds where the variable is missing. */
static bool is_on(const struct tree_reader *r, const struct bhyve_flag *flag)
{
	const char *value = get(r, flag->variable);

	if (value != NULL)
		return tree_is_true(value) == tree_is_true(flag->value);
	return flag->offset == offsetof(struct spec, generate_acpi) &&
	    r->host->release >= ACPI_RELEASE && !r->host->arm64;
}

static void read_flags(const struct tree_reader *r)
{
	for (const struct bhyve_flag *f = bhyve_flags; f->key != NULL; f++) {
		const struct field *row = field_find(spec_fields, f->key);
		const char *value = get(r, f->variable);
		bool preset = row->preset != NULL && strcmp(row->preset, "true") == 0;

		if (value != NULL && !tree_is_true(value) && !tree_is_false(value))
			report_add(r->report, STATUS_SPEC, NULL,
			    "%s is \"%s\": expected true or false", f->variable, value);
		if (r->host->arm64 && hyper_is_amd64_key(f->key))
			continue;
		if (is_on(r, f) != preset)
			node_put(r->spec, f->key, node_bool(!preset));
	}
}

/* Reads the serial ports.  Without an lpc bhyve ignores those of -l: `config` has them then. */
static void read_serial(const struct tree_reader *r)
{
	if (r->host->arm64)
		put_text(r->spec, "com1", get(r, "console"));
	for (int n = 1; n <= SPEC_COM_PORTS && tree_has_lpc(r); n++) {
		MEM_AUTO char *variable = mem_format("lpc.com%d.path", n);

		put_text(r->spec, spec_com_key((size_t)n - 1), get(r, variable));
	}
}

/* Returns the path of the first disk, or NULL. */
static const char *first_disk(const struct tree_reader *r)
{
	static const char *const disks[] = { "virtio-blk", "ahci-hd", "ahci-cd", "nvme" };

	for (const struct node *n = node_get(r->spec, "emulations")->first; n != NULL;
	     n = n->next) {
		const struct node *ports = node_get(n, "ports");

		for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
			if (strcmp(node_get_text(n, "device"), disks[i]) == 0 &&
			    node_get(n, "path") != NULL)
				return node_get_text(n, "path");
		}
		if (strcmp(node_get_text(n, "device"), "ahci") == 0 && ports != NULL &&
		    ports->first != NULL)
			return node_get_text(ports->first, "path");
	}
	return NULL;
}

/* Puts bhyveload with the first disk, which boots most guests without firmware. */
static void assume_loader(const struct tree_reader *r)
{
	struct node *loader = node_new(NODE_OBJECT), *disks;
	const char *disk = first_disk(r);

	put_text(loader, "type", "bhyveload");
	if (disk != NULL) {
		disks = node_new(NODE_LIST);
		node_append(disks, node_string(disk));
		node_put(loader, "disks", disks);
	}
	node_put(r->spec, "loader", loader);
}

/* Puts the firmware into `config`: bhyve loads it without an lpc, with which `bootrom` comes. */
static void carry_firmware(const struct tree_reader *r, const char *rom, const char *vars)
{
	struct node *config = node_new(NODE_OBJECT);
	MEM_AUTO char *rom_path = field_path(rom, r->directory);
	MEM_AUTO char *vars_path = vars == NULL ? NULL : field_path(vars, r->directory);

	put_text(config, "bootrom", rom_path);
	put_text(config, "bootvars", vars_path);
	node_put(r->spec, "config", config);
	words_add(r->notes,
	    "-l bootrom: without an lpc (-s 31,lpc) no key of vmrun names the firmware: kept in "
	    "\"config\", where vmrun does not check its files");
}

/* Returns whether a file is U-Boot, the firmware of guests on arm64. */
static bool is_of_arm64(const char *rom)
{
	return strstr(rom, "u-boot") != NULL || strstr(rom, "arm64") != NULL;
}

static void put_firmware(const struct tree_reader *r, const char *rom, const char *vars)
{
	if (!r->host->arm64 && is_of_arm64(rom))
		words_addf(r->notes,
		    "bootrom %s: this is the firmware of an arm64 guest: import with --set "
		    "bhyve.arch=arm64 --set bhyve.release=15",
		    rom);
	if (r->host->arm64 || tree_has_lpc(r)) {
		put_path(r, "bootrom", rom);
		put_path(r, "varfile", vars);
	} else if (r->host->release >= PLAIN_BOOTROM_RELEASE) {
		carry_firmware(r, rom, vars);
	} else {
		report_add(r->report, STATUS_SPEC, NULL,
		    "-l bootrom (lpc.bootrom=%s): before FreeBSD %d bhyve loads no firmware "
		    "without an lpc: add -s 31,lpc (pci.0.31.0.device=lpc), or, if the VM ran on a "
		    "newer release, import with --set bhyve.release=%d%s",
		    rom, PLAIN_BOOTROM_RELEASE, PLAIN_BOOTROM_RELEASE,
		    is_of_arm64(rom) ? " --set bhyve.arch=arm64" : "");
	}
}

/* Reads the firmware, whose variables are below lpc in older releases. */
static void read_firmware(const struct tree_reader *r)
{
	const char *rom = get(r, "bootrom"), *vars = get(r, "bootvars");

	rom = rom != NULL ? rom : get(r, "lpc.bootrom");
	vars = vars != NULL ? vars : get(r, "lpc.bootvars");
	if (rom != NULL)
		put_firmware(r, rom, vars);
	if (rom != NULL || r->is_loaded)
		return;
	if (r->host->arm64) {
		report_add(r->report, STATUS_SPEC, NULL,
		    "the variable bootrom is missing: bhyve on arm64 boots firmware only");
		return;
	}
	assume_loader(r);
	words_add(r->notes,
	    "loader: the command has no firmware, so another program loads the guest before it: "
	    "bhyveload with the first disk was assumed; import the whole script, or write what "
	    "your loader needs "
	    "(\"loader\" in vmrun.conf(5))");
}

static void read_gdb(const struct tree_reader *r)
{
	const char *port = get(r, "gdb.port"), *address = get(r, "gdb.address");
	const char *wait = get(r, "gdb.wait");
	MEM_AUTO char *gdb = port == NULL
	    ? NULL
	    : mem_format("%s%s%s%s", wait != NULL && tree_is_true(wait) ? "w" : "",
		  address == NULL ? "" : address, address == NULL ? "" : ":", port);

	put_text(r->spec, "gdb", gdb);
}

/* Returns whether a value is a list of numbers, without ranges, as `pin` has them. */
static bool is_plain_set(const char *value)
{
	return *value != '\0' && strspn(value, "0123456789,") == strlen(value);
}

/* Returns the number of the guest's processors. */
static int64_t guest_cpus(const struct tree_reader *r)
{
	const struct node *cpu = node_get(r->spec, "cpu");

	return cpu == NULL ? 0
			   : node_get(cpu, "sockets")->integer * node_get(cpu, "cores")->integer *
		node_get(cpu, "threads")->integer;
}

/*
 * Reads the processors of the host for those of the guest.  bhyve ignores those of processors that
 * the guest does not have: `config` has them then.
 */
static void read_pins(const struct tree_reader *r)
{
	struct node *pins = node_new(NODE_LIST);

	for (size_t i = 0; i < r->tree->count; i++) {
		const char *vcpu = str_after(r->tree->item[i].key, "vcpu.");
		const char *rest = r->tree->item[i].value;
		size_t digits = vcpu == NULL ? 0 : strspn(vcpu, "0123456789");

		if (digits == 0 || strcmp(vcpu + digits, ".cpuset") != 0 || !is_plain_set(rest) ||
		    strtol(vcpu, NULL, 10) >= guest_cpus(r))
			continue;
		while (rest != NULL) {
			size_t n = strcspn(rest, ",");
			MEM_AUTO char *pin =
			    mem_format("%.*s:%.*s", (int)digits, vcpu, (int)n, rest);

			node_append(pins, node_string(pin));
			rest = rest[n] == ',' ? rest + n + 1 : NULL;
		}
	}
	if (pins->count > 0)
		node_put(r->spec, "pin", pins);
	else
		node_free(pins);
}

/* Reads the domains from 0 on: bhyve uses them up to the first gap. */
static void read_domains(const struct tree_reader *r)
{
	struct node *numa = node_new(NODE_LIST);

	for (int id = 0; id < MAX_DOMAINS; id++) {
		static const char *const keys[] = { "size", "cpus", "domain_policy" };
		struct node *domain = node_new(NODE_OBJECT);

		for (size_t i = 0; i < 3; i++) {
			MEM_AUTO char *variable = mem_format("domains.%d.%s", id, keys[i]);
			MEM_AUTO char *size = NULL;
			const char *value = get(r, variable);

			if (i == 0 && value != NULL) {
				refuse(r, variable, bhyve_memory_text(value, &size));
				value = size;
			}
			put_text(domain, keys[i], value);
		}
		if (domain->count == 0) {
			node_free(domain);
			break;
		}
		node_put(domain, "id", node_int(id));
		node_append(numa, domain);
	}
	if (numa->count > 0)
		node_put(r->spec, "numa", numa);
	else
		node_free(numa);
}

static void read_smbios(const struct tree_reader *r)
{
	struct node *smbios = node_new(NODE_OBJECT);

	for (const struct field *group = smbios_fields; group->key != NULL; group++) {
		MEM_AUTO char *prefix = mem_format("%s.", group->key);
		struct node *object = node_new(NODE_OBJECT);

		tree_read_rows(r, group->rows, r->tree, prefix, object);
		if (object->count > 0)
			node_put(smbios, group->key, object);
		else
			node_free(object);
	}
	if (smbios->count > 0)
		node_put(r->spec, "smbios", smbios);
	else
		node_free(smbios);
}

static void read_tpm(const struct tree_reader *r)
{
	struct node *tpm;

	if (get(r, "tpm.type") == NULL)
		return;
	tpm = node_new(NODE_OBJECT);
	tree_read_rows(r, field_find(spec_fields, "tpm")->rows, r->tree, "tpm.", tpm);
	node_put(r->spec, "tpm", tpm);
}

/* Reads "[name=]NAME,string=DATA" or "[name=]NAME,file=PATH". */
static void read_item(const struct tree_reader *r, const char *text, struct node *list)
{
	const char *comma = strchr(text, ','), *begin = str_after(text, "name=");
	const char *string = comma == NULL ? NULL : str_after(comma + 1, "string=");
	const char *file = comma == NULL ? NULL : str_after(comma + 1, "file=");
	struct node *item;

	begin = begin == NULL ? text : begin;
	if (string == NULL && file == NULL) {
		report_add(r->report, STATUS_SPEC, NULL,
		    "-f %s: expected NAME,string=TEXT or NAME,file=PATH", text);
		return;
	}
	item = node_new(NODE_OBJECT);
	node_put(item, "name", node_string_n(begin, (size_t)(comma - begin)));
	put_text(item, "string", string);
	if (file != NULL) {
		MEM_AUTO char *path = field_path(file, r->directory);

		put_text(item, "file", path);
	}
	node_append(list, item);
}

static bool has_boot_order(const struct tree_reader *r)
{
	for (size_t i = 0; i < r->tree->count; i++) {
		const char *dot = strrchr(r->tree->item[i].key, '.');

		if (dot != NULL && strcmp(dot, ".bootindex") == 0)
			return true;
	}
	return false;
}

/*
 * Reads the interface of fw_cfg and its items.  vmrun would choose QEMU's for a boot order; the
 * guest is to find what it found.
 */
static void read_fwcfg(const struct tree_reader *r)
{
	const char *type = get(r, "lpc.fwcfg");
	bool is_seen = type != NULL && strcmp(type, "qemu") == 0;
	struct node *list;

	if (r->host->release < FWCFG_RELEASE || r->host->arm64)
		return;
	if (type == NULL && has_boot_order(r))
		type = "bhyve";
	put_text(r->spec, "fwcfg_type", type);
	if (r->fwcfg->count > 0 && !is_seen)
		words_add(r->notes,
		    "-f: left out: the guest does not see these items, because lpc.fwcfg is not "
		    "qemu; to show them, set \"fwcfg_type\": \"qemu\" and \"fwcfg\"");
	if (r->fwcfg->count == 0 || !is_seen)
		return;
	list = node_new(NODE_LIST);
	for (size_t i = 0; i < r->fwcfg->count; i++)
		read_item(r, r->fwcfg->item[i], list);
	node_put(r->spec, "fwcfg", list);
}

void tree_read_machine(struct tree_reader *r)
{
	const char *uuid = get(r, "uuid"), *testdev = get(r, "lpc.pc-testdev");

	read_cpu(r);
	read_memory(r);
	read_flags(r);
	read_serial(r);
	read_firmware(r);
	read_gdb(r);
	read_pins(r);
	read_domains(r);
	read_smbios(r);
	read_tpm(r);
	read_fwcfg(r);
	node_put(r->spec, "uuid", uuid == NULL ? node_bool(false) : node_string(uuid));
	put_text(r->spec, "keyboard_layout", get(r, "keyboard.layout"));
	if (testdev != NULL && tree_is_true(testdev) && tree_has_lpc(r))
		node_put(r->spec, "pc_testdev", node_bool(true));
}
