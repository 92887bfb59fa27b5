/* Rolling a device of a spec: every key of every row of its kind. */
#include "random_spec.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/device.h"

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
	MEM_AUTO char *value = random_text(before, most);

	random_add_text(&r->spec->json, key, value);
	expect(r, key, value);
}

static void roll_number(struct roll *r, const char *key, int64_t value)
{
	MEM_AUTO char *text = mem_format("%" PRId64, value);

	random_add_number(&r->spec->json, key, value);
	expect(r, key, text);
}

static void roll_sectors(struct roll *r)
{
	int64_t logical = INT64_C(512) << random_below(5), physical = logical << random_below(4);
	MEM_AUTO char *text = NULL;

	random_add_number(&r->spec->json, "logical_sector_size", logical);
	if (random_one_in(2)) {
		random_add_number(&r->spec->json, "physical_sector_size", physical);
		text = mem_format("%" PRId64 "/%" PRId64, logical, physical);
	} else {
		text = mem_format("%" PRId64, logical);
	}
	expect(r, "sectorsize", text);
}

static void roll_ports(struct roll *r)
{
	unsigned form = random_below(2);

	random_add_key(&r->spec->json, "ports");
	str_add(&r->spec->json, "[");
	for (unsigned i = 0, n = 1 + random_below(16); i < n; i++) {
		MEM_AUTO char *name_key = mem_format("port.%u.name", i);
		MEM_AUTO char *path_key = mem_format("port.%u.path", i);
		MEM_AUTO char *start = mem_format("/s%d", r->spec->named++);
		MEM_AUTO char *path = random_text(start, 6);
		MEM_AUTO char *plain = mem_format("port%u", i + 1);
		MEM_AUTO char *odd = random_text(start + 1, 3);

		random_add_key(&r->spec->json, NULL);
		if (form == 0) {
			str_add_json(&r->spec->json, path);
		} else {
			str_add(&r->spec->json, "{");
			random_add_text(&r->spec->json, "name", odd);
			random_add_text(&r->spec->json, "path", path);
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
	MEM_AUTO char *value = random_text(before, most);

	random_add_text(&r->spec->json, key, value);
	pairs_add(&r->device->vars, variable, value);
}

static void roll_drives(struct roll *r)
{
	random_add_key(&r->spec->json, "ports");
	str_add(&r->spec->json, "[");
	for (unsigned i = 0, n = 1 + random_below(32); i < n; i++) {
		MEM_AUTO char *type_key = mem_format("port.%u.type", i);
		MEM_AUTO char *ro_key = mem_format("port.%u.ro", i);
		const char *type = random_one_in(2) ? "cd" : "hd";

		random_add_key(&r->spec->json, NULL);
		str_add(&r->spec->json, "{");
		random_add_text(&r->spec->json, "type", type);
		pairs_add(&r->device->vars, type_key, type);
		roll_of_drive(r, i, "path", "/d/x", n > 8 ? 0 : 6);
		if (random_one_in(4))
			roll_of_drive(r, i, "model", "m", 4);
		if (random_one_in(4)) {
			random_add_key(&r->spec->json, "ro");
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

	random_add_key(&r->spec->json, "hostfwd");
	str_add(&r->spec->json, "[");
	for (unsigned i = 0, n = 1 + random_below(3); i < n; i++) {
		MEM_AUTO char *rule =
		    mem_format("tcp:127.0.0.1:%u-10.0.2.15:%u", 2000 + i, 1 + random_below(60000));

		random_add_key(&r->spec->json, NULL);
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
	if (strcmp(r->backend, "tap") == 0 && r->spec->release >= 14 && random_one_in(3)) {
		name = mem_format("lan%d", r->spec->named++);
		random_add_text(&r->spec->json, "type", "tap");
		expect(r, "type", "tap");
	} else if (strcmp(r->backend, "tap") == 0 || strcmp(r->backend, "vmnet") == 0) {
		name = mem_format("%s%d", r->backend, r->spec->named++);
	} else if (strcmp(r->backend, "vale") == 0 || strcmp(r->backend, "netmap") == 0) {
		name = random_text(r->backend, 6);
	} else {
		name = mem_copy(r->backend);
	}
	random_add_text(&r->spec->json, "name", name);
	expect(r, "name", name);
}

static void roll_mac(struct roll *r)
{
	MEM_AUTO char *mac = mem_format(
	    "58:9c:fc:%02x:%02x:%02x", random_below(256), random_below(256), random_below(256));

	r->device->extra = 0;
	random_add_text(&r->spec->json, "mac", mac);
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

	if (random_one_in(2)) {
		random_add_text(&r->spec->json, "src", name);
		pairs_add(&r->device->vars, "pptdev", name);
		return;
	}
	random_add_text(&r->spec->json, "src", address);
	pairs_addf(&r->device->vars, "bus", "%d", number & 255);
	pairs_addf(&r->device->vars, "slot", "%d", number >> 8 & 31);
	pairs_add(&r->device->vars, "func", "3");
}

static void roll_nvme(struct roll *r)
{
	r->memory = random_one_in(3);
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
		random_add_text(&r->spec->json, f->key, id);
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
		if (strcmp(r->backend, "netgraph") == 0 && (random_one_in(2) || f->key[0] == 'p'))
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
	bool on = random_one_in(2);

	if (roll_special(r, f))
		return;
	switch (f->type) {
	case FIELD_PATH:
		roll_text(r, f->key, "/d/x", 8);
		break;
	case FIELD_STRING: {
		MEM_AUTO char *text = random_text("s", 8);

		if (f->longest != 0 && strlen(text) > f->longest)
			text[1] = '\0';
		random_add_text(&r->spec->json, f->key, text);
		expect(r, f->key, text);
		break;
	}
	case FIELD_BOOL:
		random_add_key(&r->spec->json, f->key);
		str_add(&r->spec->json, on ? "true" : "false");
		if (on)
			expect(r, f->key, "true");
		break;
	case FIELD_INT:
		roll_number(r, f->key, f->has_range ? f->min : 1);
		break;
	case FIELD_CHOICE:
		random_add_text(&r->spec->json, f->key, f->choices[1]);
		expect(r, f->key, f->choices[1]);
		break;
	default:
		break;
	}
}

static void roll_slot(struct random_spec *s)
{
	unsigned slot = random_below(30) + 1;

	random_add_key(&s->json, "slot");
	if (random_one_in(3))
		str_addf(&s->json, "%u", slot);
	else if (random_one_in(2))
		str_addf(&s->json, "\"%u:%u\"", slot, random_one_in(4) ? random_below(8) : 0);
	else
		str_addf(&s->json, "\"%u:%u:0\"", random_one_in(3) ? random_below(256) : 0, slot);
}

static void roll_raw(struct roll *r)
{
	random_add_text(&r->spec->json, "value", "virtio-rnd");
	pairs_add(&r->device->vars, "device", "virtio-rnd");
	r->device->checked = false;
}

/* Is this key to be there?  Also by chance. */
static bool wants_key(const struct roll *r, const struct field *f)
{
	static const char *const instead[] = { "bridge", "lookup", NULL };

	if (is_key(f, instead) || (strcmp(f->key, "rom") == 0 && r->spec->release < 14))
		return false;
	/* virtio-scsi says its default, and passthru needs a source */
	if ((r->kind == &device_virtio_scsi && f->type == FIELD_PATH) ||
	    (r->kind == &device_passthru && strcmp(f->key, "src") == 0))
		return true;
	return f->required || strcmp(f->key, "name") == 0 || random_one_in(3) ||
	    (r->backend != NULL && strcmp(r->backend, "netgraph") == 0);
}

void random_device(struct random_spec *s, bool may_pin)
{
	struct roll r = { s, &s->device[s->devices++], NULL, NULL, false };
	size_t kinds = 0;

	while (device_kinds[kinds] != NULL)
		kinds++;
	do {
		r.kind = device_kinds[random_below((unsigned)kinds)];
	} while (r.kind->single || (r.kind->amd64_only && s->arm64));
	r.device->checked = true;
	random_add_key(&s->json, NULL);
	str_add(&s->json, "{");
	random_add_text(&s->json, "device", r.kind->name);
	if (may_pin && random_one_in(5))
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
			if (wants_key(&r, f))
				roll_field(&r, f);
		}
	}
	str_add(&s->json, "}");
}
