/* Rolling specs: every key of every row of the devices, values that are hard to quote. */
#include "random_spec.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/device.h"

static uint64_t dice;

void random_seed(unsigned seed)
{
	dice = seed;
}

unsigned random_below(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

static bool one_in(unsigned n)
{
	return random_below(n) == 0;
}

/* At most 8 pieces of at most 7 bytes. Caller frees. */
static char *odd_text(const char *before, unsigned most)
{
	static const char *const pieces[] = { ",", "=", "%", "\\", " ", "%(name)", "%%", ".", ":",
		"\"", "'", "true", ",hd:", ",cd:", "ram=", "a", "disk", "0", "\xc3\xbc", ";", "/",
		"-", "(", ")", "\\%", "#", "\t", "\n", "$HOME", "*" };
	struct str s = { 0 };

	str_add(&s, before);
	for (unsigned i = random_below(most + 1); i > 0; i--)
		str_add(&s, pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))]);
	return str_take(&s);
}

static void add_key(struct str *json, const char *key)
{
	char last = json->length == 0 ? '{' : json->text[json->length - 1];

	str_add(json, last == '{' || last == '[' ? "" : ",");
	if (key != NULL) {
		str_add_json(json, key);
		str_add(json, ":");
	}
}

static void add_text(struct str *json, const char *key, const char *value)
{
	add_key(json, key);
	str_add_json(json, value);
}

static void add_number(struct str *json, const char *key, int64_t value)
{
	add_key(json, key);
	str_addf(json, "%" PRId64, value);
}

/* Where and how bhyve_config(5) has a key of a device. */
static char *variable_of(const struct device_kind *kind, const char *key)
{
	const char *prefix = kind->form->prefix == NULL ? "" : kind->form->prefix;

	if (kind == &device_virtio_scsi && strcmp(key, "path") == 0)
		return mem_copy("dev");
	return mem_format("%s%s", prefix, strcmp(key, "name") == 0 ? "backend" : key);
}

/* What a roll of one device must know. */
struct roll {
	struct random_spec *spec;
	struct random_device *device;
	const struct device_kind *kind;
	const char *backend; /* of a network device */
	bool memory;	     /* an nvme without a disk */
};

static void expect(struct roll *r, const char *key, const char *value)
{
	MEM_AUTO char *variable = variable_of(r->kind, key);

	pairs_add(&r->device->vars, variable, value);
}

static void roll_text(struct roll *r, const char *key, const char *before, unsigned most)
{
	MEM_AUTO char *value = odd_text(before, most);

	add_text(&r->spec->json, key, value);
	expect(r, key, value);
}

static void roll_number(struct roll *r, const char *key, int64_t value)
{
	MEM_AUTO char *text = mem_format("%" PRId64, value);

	add_number(&r->spec->json, key, value);
	expect(r, key, text);
}

static void roll_sectors(struct roll *r)
{
	int64_t logical = INT64_C(512) << random_below(5), physical = logical << random_below(4);
	MEM_AUTO char *text = NULL;

	add_number(&r->spec->json, "logical_sector_size", logical);
	if (one_in(2)) {
		add_number(&r->spec->json, "physical_sector_size", physical);
		text = mem_format("%" PRId64 "/%" PRId64, logical, physical);
	} else {
		text = mem_format("%" PRId64, logical);
	}
	expect(r, "sectorsize", text);
}

static void roll_ports(struct roll *r)
{
	unsigned form = random_below(2);

	add_key(&r->spec->json, "ports");
	str_add(&r->spec->json, "[");
	for (unsigned i = 0, n = 1 + random_below(16); i < n; i++) {
		MEM_AUTO char *name_key = mem_format("port.%u.name", i);
		MEM_AUTO char *path_key = mem_format("port.%u.path", i);
		MEM_AUTO char *start = mem_format("/s%d", r->spec->named++);
		MEM_AUTO char *path = odd_text(start, 6);
		MEM_AUTO char *plain = mem_format("port%u", i + 1);
		MEM_AUTO char *odd = odd_text(start + 1, 3);

		add_key(&r->spec->json, NULL);
		if (form == 0) {
			str_add_json(&r->spec->json, path);
		} else {
			str_add(&r->spec->json, "{");
			add_text(&r->spec->json, "name", odd);
			add_text(&r->spec->json, "path", path);
			str_add(&r->spec->json, "}");
		}
		pairs_add(&r->device->vars, name_key, form == 0 ? plain : odd);
		pairs_add(&r->device->vars, path_key, path);
	}
	str_add(&r->spec->json, "]");
}

/* A text of a drive, or a bare flag. */
static void roll_of_drive(
    struct roll *r, unsigned port, const char *key, const char *before, unsigned most)
{
	MEM_AUTO char *variable = mem_format("port.%u.%s", port, key);
	MEM_AUTO char *value = odd_text(before, most);

	add_text(&r->spec->json, key, value);
	pairs_add(&r->device->vars, variable, value);
}

static void roll_drives(struct roll *r)
{
	add_key(&r->spec->json, "ports");
	str_add(&r->spec->json, "[");
	for (unsigned i = 0, n = 1 + random_below(32); i < n; i++) {
		MEM_AUTO char *type_key = mem_format("port.%u.type", i);
		MEM_AUTO char *ro_key = mem_format("port.%u.ro", i);
		const char *type = one_in(2) ? "cd" : "hd";

		add_key(&r->spec->json, NULL);
		str_add(&r->spec->json, "{");
		add_text(&r->spec->json, "type", type);
		pairs_add(&r->device->vars, type_key, type);
		roll_of_drive(r, i, "path", "/d/x", n > 8 ? 0 : 6);
		if (one_in(4))
			roll_of_drive(r, i, "model", "m", 4);
		if (one_in(4)) {
			add_key(&r->spec->json, "ro");
			str_add(&r->spec->json, "true");
			pairs_add(&r->device->vars, ro_key, "true");
		}
		str_add(&r->spec->json, "}");
	}
	str_add(&r->spec->json, "]");
}

static void roll_rules(struct roll *r)
{
	struct str rules = { 0 };

	add_key(&r->spec->json, "hostfwd");
	str_add(&r->spec->json, "[");
	for (unsigned i = 0, n = 1 + random_below(3); i < n; i++) {
		MEM_AUTO char *rule =
		    mem_format("tcp:127.0.0.1:%u-10.0.2.15:%u", 2000 + i, 1 + random_below(60000));

		add_key(&r->spec->json, NULL);
		str_add_json(&r->spec->json, rule);
		str_addf(&rules, "%s%s", i > 0 ? ";" : "", rule);
	}
	str_add(&r->spec->json, "]");
	expect(r, "hostfwd", rules.text);
	str_free(&rules);
}

/* Chooses the backend; then which keys belong to it. */
static void roll_backend(struct roll *r)
{
	static const char *const kinds[] = { "tap", "vale", "netmap", "netgraph", "vmnet",
		"slirp" };
	MEM_AUTO char *name = NULL;

	r->backend = kinds[random_below(r->spec->release >= 15 ? 6 : 5)];
	if (strcmp(r->backend, "tap") == 0 && r->spec->release >= 14 && one_in(3)) {
		name = mem_format("lan%d", r->spec->named++);
		add_text(&r->spec->json, "type", "tap");
		expect(r, "type", "tap");
	} else if (strcmp(r->backend, "tap") == 0 || strcmp(r->backend, "vmnet") == 0) {
		name = mem_format("%s%d", r->backend, r->spec->named++);
	} else if (strcmp(r->backend, "vale") == 0 || strcmp(r->backend, "netmap") == 0) {
		name = odd_text(r->backend, 6);
	} else {
		name = mem_copy(r->backend);
	}
	add_text(&r->spec->json, "name", name);
	expect(r, "name", name);
}

static void roll_mac(struct roll *r)
{
	MEM_AUTO char *mac = mem_format(
	    "58:9c:fc:%02x:%02x:%02x", random_below(256), random_below(256), random_below(256));

	r->device->extra = 0;
	add_text(&r->spec->json, "mac", mac);
	expect(r, "mac", mac);
}

static bool is_key(const struct field *f, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		if (strcmp(f->key, *keys) == 0)
			return true;
	}
	return false;
}

static void roll_uart(struct roll *r)
{
	MEM_AUTO char *start = mem_format("/dev/u%d", r->spec->named++);

	roll_text(r, "path", start, 6);
}

/* Also wires the memory, whatever the flag says. */
static void roll_source(struct roll *r)
{
	int number = r->spec->named++;
	MEM_AUTO char *name = mem_format("ppt%d", number);
	MEM_AUTO char *address = mem_format("%d:%d:%d", number & 255, number >> 8 & 31, 3);

	if (one_in(2)) {
		add_text(&r->spec->json, "src", name);
		pairs_add(&r->device->vars, "pptdev", name);
		return;
	}
	add_text(&r->spec->json, "src", address);
	pairs_addf(&r->device->vars, "bus", "%d", number & 255);
	pairs_addf(&r->device->vars, "slot", "%d", number >> 8 & 31);
	pairs_add(&r->device->vars, "func", "3");
}

static void roll_nvme(struct roll *r)
{
	r->memory = one_in(3);
	if (r->memory)
		roll_number(r, "ram", 1 + random_below(1000));
	else
		roll_text(r, "path", "/d/x", 8);
}

/* Keys of nvme that are more than their type says. */
static bool roll_nvme_key(struct roll *r, const struct field *f)
{
	static const char *const done[] = { "path", "ram", "logical_sector_size", NULL };
	static const char *const sectors[] = { "512", "4096", "8192" };
	const char *size = sectors[random_below(3)];
	MEM_AUTO char *id =
	    mem_format("0x58%08x%06x", random_below(1 << 30), random_below(1 << 24));

	if (is_key(f, done) || (r->memory && f->type == FIELD_BOOL))
		return true;
	if (strcmp(f->key, "sectsz") == 0) {
		roll_number(r, f->key, strtol(size, NULL, 10));
	} else if (strcmp(f->key, "eui64") == 0) {
		add_text(&r->spec->json, f->key, id);
		expect(r, f->key, id);
	} else {
		return false;
	}
	return true;
}

/* Keys with a meaning beyond their type; true when this was one. */
static bool roll_special(struct roll *r, const struct field *f)
{
	static const char *const done[] = { "name", "type", "physical_sector_size", NULL };
	static const char *const netgraph[] = { "path", "peerhook", "socket", "hook", NULL };
	bool is_net = r->backend != NULL;

	if (is_key(f, done) || (r->kind == &device_nvme && roll_nvme_key(r, f)))
		return true;
	if (is_net && is_key(f, netgraph)) {
		/* path and peerhook are required there */
		if (strcmp(r->backend, "netgraph") == 0 && (one_in(2) || f->key[0] == 'p'))
			roll_text(r, f->key, "n", 4);
		return true;
	}
	if (strcmp(f->key, "hostfwd") == 0) {
		if (strcmp(r->backend, "slirp") == 0)
			roll_rules(r);
		return true;
	}
	if (strcmp(f->key, "open") == 0)
		return strcmp(r->backend, "slirp") != 0;
	if (strcmp(f->key, "mac") == 0)
		roll_mac(r);
	else if (strcmp(f->key, "mtu") == 0)
		roll_number(r, f->key, 46 + random_below(65490));
	else if (strcmp(f->key, "ports") == 0 && r->kind == &device_ahci)
		roll_drives(r);
	else if (strcmp(f->key, "ports") == 0)
		roll_ports(r);
	else if (strcmp(f->key, "logical_sector_size") == 0)
		roll_sectors(r);
	else if (strcmp(f->key, "bootindex") == 0 && r->spec->release >= 14)
		roll_number(r, f->key, r->spec->named++);
	else if (r->kind == &device_uart)
		roll_uart(r);
	else if (strcmp(f->key, "src") == 0)
		roll_source(r);
	else if (strcmp(f->key, "nmrr") == 0)
		roll_number(r, f->key, random_below(65536));
	else
		return f->type == FIELD_CUSTOM;
	return true;
}

static void roll_field(struct roll *r, const struct field *f)
{
	bool on = one_in(2);

	if (roll_special(r, f))
		return;
	switch (f->type) {
	case FIELD_PATH:
		roll_text(r, f->key, "/d/x", 8);
		break;
	case FIELD_STRING: {
		MEM_AUTO char *text = odd_text("s", 8);

		if (f->longest != 0 && strlen(text) > f->longest)
			text[1] = '\0';
		add_text(&r->spec->json, f->key, text);
		expect(r, f->key, text);
		break;
	}
	case FIELD_BOOL:
		add_key(&r->spec->json, f->key);
		str_add(&r->spec->json, on ? "true" : "false");
		if (on)
			expect(r, f->key, "true");
		break;
	case FIELD_INT:
		roll_number(r, f->key, f->has_range ? f->min : 1);
		break;
	case FIELD_CHOICE:
		add_text(&r->spec->json, f->key, f->choices[1]);
		expect(r, f->key, f->choices[1]);
		break;
	default:
		break;
	}
}

static void roll_slot(struct random_spec *s)
{
	unsigned slot = random_below(30) + 1;

	add_key(&s->json, "slot");
	if (one_in(3))
		str_addf(&s->json, "%u", slot);
	else if (one_in(2))
		str_addf(&s->json, "\"%u:%u\"", slot, one_in(4) ? random_below(8) : 0);
	else
		str_addf(&s->json, "\"%u:%u:0\"", one_in(3) ? random_below(256) : 0, slot);
}

static void roll_raw(struct roll *r)
{
	add_text(&r->spec->json, "value", "virtio-rnd");
	pairs_add(&r->device->vars, "device", "virtio-rnd");
	r->device->checked = false;
}

static void roll_device(struct random_spec *s, bool may_pin)
{
	struct roll r = { s, &s->device[s->devices++], NULL, NULL, false };
	size_t kinds = 0;

	while (device_kinds[kinds] != NULL)
		kinds++;
	do {
		r.kind = device_kinds[random_below((unsigned)kinds)];
	} while (r.kind->single || (r.kind->amd64_only && s->arm64));
	r.device->checked = true;
	add_key(&s->json, NULL);
	str_add(&s->json, "{");
	add_text(&s->json, "device", r.kind->name);
	if (may_pin && one_in(5))
		roll_slot(s);
	if (r.kind == &device_raw) {
		roll_raw(&r);
	} else {
		bool ahci = r.kind->form->implied != NULL;

		pairs_add(&r.device->vars, "device", ahci ? "ahci" : r.kind->name);
		if (ahci)
			pairs_add(&r.device->vars, "port.0.type",
			    r.kind == &device_ahci_cd ? "cd" : "hd");
		if (r.kind == &device_virtio_net || r.kind == &device_e1000) {
			roll_backend(&r);
			r.device->extra = 1; /* a MAC address */
		} else if (r.kind == &device_nvme) {
			roll_nvme(&r);
		}
		for (const struct field *f = r.kind->fields; f->key != NULL; f++) {
			if (strcmp(f->key, "bridge") == 0 || strcmp(f->key, "lookup") == 0 ||
			    (strcmp(f->key, "rom") == 0 && s->release < 14))
				continue;
			/* virtio-scsi says its default, and passthru needs a source */
			if (f->required || strcmp(f->key, "name") == 0 || one_in(3) ||
			    (r.kind == &device_virtio_scsi && f->type == FIELD_PATH) ||
			    (r.kind == &device_passthru && strcmp(f->key, "src") == 0) ||
			    (r.backend != NULL && strcmp(r.backend, "netgraph") == 0))
				roll_field(&r, f);
		}
	}
	str_add(&s->json, "}");
}

static void roll_devices(struct random_spec *s, unsigned n)
{
	bool may_pin = one_in(2);

	add_key(&s->json, "emulations");
	str_add(&s->json, "[");
	while (n-- > 0 && s->devices < RANDOM_DEVICES_MAX)
		roll_device(s, may_pin);
	str_add(&s->json, "]");
}

static void roll_flags(struct random_spec *s)
{
	static const struct {
		const char *key, *variable, *on, *off;
		bool both; /* architectures */
	} flags[] = {
		{ "utc_clock", "rtc.use_localtime", "false", NULL, false },
		{ "yield_on_hlt", "x86.vmexit_on_hlt", "true", NULL, false },
		{ "generate_acpi", "acpi_tables", "true", "false", false },
		{ "force_msi", "virtio_msix", "false", NULL, true },
		{ "power_off_destroy_vm", "destroy_on_poweroff", "true", NULL, true },
		{ "guest_mem_in_core", "memory.guest_in_core", "true", NULL, true },
		{ "x2apic", "x86.x2apic", "true", NULL, false },
		{ "strict_io", "x86.strictio", "true", NULL, false },
		{ "ignore_unknown_msr", "x86.strictmsr", "false", "true", false },
		{ "exit_on_pause", "x86.vmexit_on_pause", "true", NULL, false },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool on = one_in(2);
		const char *value = on ? flags[i].on : flags[i].off;

		if (s->arm64 && !flags[i].both)
			continue;
		add_key(&s->json, flags[i].key);
		str_add(&s->json, on ? "true" : "false");
		pairs_add(&s->vars, flags[i].variable, value == NULL ? "(unset)" : value);
	}
}

static void roll_serial(struct random_spec *s)
{
	unsigned stdio = random_below(5);

	for (unsigned i = 0; i < (s->arm64 ? 1 : 4); i++) {
		MEM_AUTO char *key = mem_format("com%u", i + 1);
		MEM_AUTO char *variable = mem_format(s->arm64 ? "console" : "lpc.%s.path", key);
		MEM_AUTO char *start = mem_format("/dev/tty%u", i);
		MEM_AUTO char *path = odd_text(start, 6);
		MEM_AUTO char *tcp = mem_format("tcp=127.0.0.1:%u", 4000 + i);
		const char *value = path;

		if (one_in(2))
			continue;
		if (stdio == i)
			value = "stdio";
		else if (s->release >= 15 && one_in(3))
			value = tcp;
		add_text(&s->json, key, value);
		pairs_add(&s->vars, variable, value);
	}
}

static void roll_firmware(struct random_spec *s)
{
	const char *below = s->release >= 15 ? "" : "lpc.";
	MEM_AUTO char *rom = odd_text("/fw", 8);
	MEM_AUTO char *vars = odd_text("/v", 8);
	MEM_AUTO char *rom_key = mem_format("%sbootrom", below);
	MEM_AUTO char *vars_key = mem_format("%sbootvars", below);

	add_text(&s->json, "bootrom", rom);
	pairs_add(&s->vars, rom_key, rom);
	if (s->arm64 || one_in(2))
		return;
	add_text(&s->json, "varfile", vars);
	pairs_add(&s->vars, vars_key, vars);
}

static void roll_cpu_and_memory(struct random_spec *s)
{
	unsigned sockets = 1 + random_below(2), cores = 1 + random_below(3);
	unsigned threads = 1 + random_below(4), mem = 1 + random_below(100000);

	if (one_in(2)) {
		sockets = cores = 1;
		add_number(&s->json, "cpu", threads);
	} else {
		add_key(&s->json, "cpu");
		str_addf(&s->json, "{\"cores\":%u,\"sockets\":%u,\"threads\":%u}", cores, sockets,
		    threads);
	}
	pairs_addf(&s->vars, "cpus", "%u", sockets * cores * threads);
	pairs_addf(&s->vars, "sockets", "%u", sockets);
	pairs_addf(&s->vars, "cores", "%u", cores);
	pairs_addf(&s->vars, "threads", "%u", threads);
	add_key(&s->json, "mem");
	if (one_in(2)) {
		str_addf(&s->json, "\"%uM\"", mem);
		pairs_addf(&s->vars, "memory.size", "%uM", mem);
	} else {
		mem = mem / 256 * 1024 + 4; /* KiB, no whole MiB */
		str_addf(&s->json, "%" PRId64, (int64_t)mem * 1024);
		pairs_addf(&s->vars, "memory.size", "%uK", mem);
	}
}

void random_spec_make(struct random_spec *s)
{
	memset(s, 0, sizeof(*s));
	s->release = 13 + (int)random_below(3);
	s->arm64 = s->release >= 15 && one_in(4);
	str_add(&s->json, "{");
	add_text(&s->json, "name", "vm");
	pairs_add(&s->vars, "name", "vm");
	add_key(&s->json, "bhyve");
	str_addf(
	    &s->json, "{\"release\":%d,\"arch\":\"%s\"}", s->release, s->arm64 ? "arm64" : "amd64");
	roll_cpu_and_memory(s);
	roll_flags(s);
	roll_serial(s);
	roll_firmware(s);
	if (one_in(4))
		add_text(&s->json, "hostbridge", "amd_hostbridge");
	if (!s->arm64 && one_in(4))
		add_number(&s->json, "lpc_slot", 1 + random_below(31));
	roll_devices(s, one_in(10) ? 40 : random_below(8));
	s->base_devices = s->devices;
	add_key(&s->json, "targets");
	str_add(&s->json, "{\"t\":{");
	roll_devices(s, random_below(4));
	str_add(&s->json, "}}}");
}

void random_spec_free(struct random_spec *s)
{
	for (size_t i = 0; i < s->devices; i++)
		pairs_free(&s->device[i].vars);
	pairs_free(&s->vars);
	str_free(&s->json);
}
