/* Rolls random devices. */
#include "random_roll.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/device.h"

/* Kinds whose variables are known, and the places of these below pci.B.S.F. */
static const struct {
	const char *kind, *model, *prefix;
} known[] = {
	{ "virtio-blk", "virtio-blk", "" },
	{ "ahci-hd", "ahci", "port.0." },
	{ "ahci-cd", "ahci", "port.0." },
	{ "ahci", "ahci", "" },
	{ "nvme", "nvme", "" },
	{ "virtio-net", "virtio-net", "" },
	{ "e1000", "e1000", "" },
	{ "virtio-console", "virtio-console", "" },
	{ "virtio-9p", "virtio-9p", "" },
	{ "virtio-scsi", "virtio-scsi", "" },
	{ "virtio-rnd", "virtio-rnd", "" },
	{ "virtio-input", "virtio-input", "" },
	{ "uart", "uart", "" },
	{ "hda", "hda", "" },
	{ "fbuf", "fbuf", "" },
	{ "xhci", "xhci", "" },
	{ "passthru", "passthru", "" },
};

const struct variable device_variables[] = {
	{ "virtio-net", "name", "backend" },
	{ "e1000", "name", "backend" },
	{ "virtio-scsi", "path", "dev" },
	{ "fbuf", "width", "w" },
	{ "fbuf", "height", "h" },
	{ "fbuf", "password", NULL },
	{ "fbuf", "password_file", NULL },
	{ 0 },
};

static int find_known(const char *kind)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].kind, kind) == 0)
			return (int)i;
	}
	return -1;
}

bool random_knows(const char *kind)
{
	return find_known(kind) >= 0;
}

/* Rolls sector sizes.  The physical size needs the logical one; nvme has a single size. */
static void roll_sectors(struct roll *r, const struct field *f)
{
	bool nvme = strcmp(r->kind, "nvme") == 0;
	int64_t logical = INT64_C(512) << (nvme ? 3 : random_below(5));
	int64_t physical = logical << (nvme ? 0 : random_below(4));
	MEM_AUTO char *text = NULL;

	if (r->memory || one_in(2))
		return;
	add_number(&r->spec->json, f->key, logical);
	if (one_in(2)) {
		add_number(&r->spec->json, "physical_sector_size", physical);
		text = mem_format("%lld/%lld", (long long)logical, (long long)physical);
	} else {
		text = mem_format("%lld", (long long)logical);
	}
	promise(r, "sectorsize", text);
}

static void roll_bootindex(struct roll *r, const struct field *f)
{
	if (!r->spec->indexable || one_in(2))
		return;
	if (strcmp(r->kind, "passthru") == 0) { /* bhyve does not read that of passthru */
		add_number(&r->spec->json, f->key, r->spec->named++);
		return;
	}
	r->spec->indexed[r->spec->boot] = true;
	roll_number(r, f->key, r->spec->named++);
}

/* Rolls a port of a console: "PATH", {"name":NAME,"path":PATH} or "NAME":PATH. */
static void roll_port(struct roll *r, unsigned form, unsigned i)
{
	struct str *json = &r->spec->json;
	MEM_AUTO char *name_key = mem_format("port.%u.name", i);
	MEM_AUTO char *path_key = mem_format("port.%u.path", i);
	MEM_AUTO char *place = mem_format("/s%d", r->spec->named++);
	MEM_AUTO char *path = odd_text(r->spec, place, 6);
	MEM_AUTO char *start = mem_format(form == 0 ? "port%u" : "p%u-", i + 1);
	MEM_AUTO char *name = odd_text(r->spec, start, form == 0 ? 0 : 3);

	for (char *p = strchr(name, '%'); p != NULL; p = strchr(p, '%'))
		*p = '_'; /* refused in the name of a port */
	pairs_add(r->vars, name_key, name);
	pairs_add(r->vars, path_key, path);
	if (form != 1) {
		add_text(json, form == 0 ? NULL : name, path);
		return;
	}
	add_key(json, NULL);
	str_add(json, "{");
	add_text(json, "name", name);
	add_text(json, "path", path);
	str_add(json, "}");
}

/* Rolls ports.  An object is read in the order of its names, therefore it has at most 9 here. */
static void roll_ports(struct roll *r, const struct field *f)
{
	unsigned form = random_below(3);

	add_key(&r->spec->json, f->key);
	str_add(&r->spec->json, form == 2 ? "{" : "[");
	for (unsigned i = 0, n = 1 + random_below(form == 2 ? 9 : 16); i < n; i++)
		roll_port(r, form, i);
	str_add(&r->spec->json, form == 2 ? "}" : "]");
}

/* Rolls a flag of a disk, which an nvme in memory must not have. */
static void roll_disk_flag(struct roll *r, const struct field *f)
{
	if (!r->memory && one_in(3))
		roll_plain(r, f);
}

static void roll_nvme_path(struct roll *r, const struct field *f)
{
	r->memory = one_in(3);
	if (!r->memory)
		roll_plain(r, f);
}

static void roll_nvme_ram(struct roll *r, const struct field *f)
{
	if (r->memory)
		roll_plain(r, f);
}

/* Rolls a sector size of nvme, which a disk may have, too. */
static void roll_nvme_sectors(struct roll *r, const struct field *f)
{
	if (one_in(3))
		roll_number(r, f->key, 4096);
}

static void roll_eui64(struct roll *r, const struct field *f)
{
	MEM_AUTO char *id =
	    mem_format("0x58%08x%06x", random_below(1 << 30), random_below(1 << 24));

	if (one_in(3))
		roll_text(r, f->key, id);
}

static void roll_scsi_path(struct roll *r, const struct field *f)
{
	if (one_in(2))
		roll_plain(r, f);
	else
		promise(r, f->key, "/dev/cam/ctl");
}

static void roll_uart(struct roll *r, const struct field *f)
{
	int number = r->spec->named++;
	MEM_AUTO char *tcp = mem_format("tcp=127.0.0.1:%d", 10000 + number);
	MEM_AUTO char *tty = mem_format("/dev/u%d", number);

	if (!r->spec->stdio && one_in(3)) {
		r->spec->stdio = true;
		roll_text(r, f->key, "stdio");
	} else if (r->spec->release >= 15 && one_in(3)) {
		roll_text(r, f->key, tcp);
	} else {
		roll_odd(r, f->key, tty, 6);
	}
}

static void roll_source(struct roll *r, const struct field *f)
{
	int number = r->spec->named++;
	MEM_AUTO char *ppt = mem_format("ppt%d", number);

	r->given = !one_in(4); /* else lookup is */
	if (!r->given)
		return;
	if (one_in(2)) {
		add_text(&r->spec->json, f->key, ppt);
		pairs_add(r->vars, "pptdev", ppt);
		return;
	}
	add_key(&r->spec->json, f->key);
	str_addf(&r->spec->json, one_in(2) ? "\"%d:%d:3\"" : "\"%d/%d/3\"", number & 255,
	    number >> 8 & 31);
	pairs_addf(r->vars, "bus", "%d", number & 255);
	pairs_addf(r->vars, "slot", "%d", number >> 8 & 31);
	pairs_add(r->vars, "func", "3");
}

static void roll_lookup(struct roll *r, const struct field *f)
{
	if (r->given)
		return;
	add_key(&r->spec->json, f->key);
	str_addf(&r->spec->json, "{\"vendor\":\"0x8086%04x\",\"device\":\"%08X\"}",
	    random_below(65536), random_below(1 << 30));
	pairs_add(r->vars, "pptdev", "pptAUTO");
}

static void roll_rom(struct roll *r, const struct field *f)
{
	if (r->spec->release >= 14 && one_in(3))
		roll_plain(r, f);
}

/* Rolls a screen, in which `host` and `port` are one variable. */
void roll_screen(struct roll *r)
{
	static const char *const hosts[][2] = { { NULL, "127.0.0.1" }, { "::1", "[::1]" },
		{ "[::1]", "[::1]" }, { "fe80::1%em0", "[fe80::1%em0]" } };
	const char *const *host = hosts[random_below(4)];
	unsigned port = 5900 + (one_in(2) ? random_below(50) : 0);

	if (host[0] != NULL)
		add_text(&r->spec->json, "host", host[0]);
	if (port != 5900)
		add_number(&r->spec->json, "port", port);
	else if (one_in(2))
		add_text(&r->spec->json, "port", "auto");
	pairs_addf(r->vars, "rfb", "%s:%u", host[1], port);
}

static void roll_pixels(struct roll *r, const struct field *f)
{
	bool wide = strcmp(f->key, "width") == 0;

	if (one_in(2))
		roll_number(r, f->key, wide ? 640 + random_below(1281) : 480 + random_below(721));
}

static void roll_password(struct roll *r, const struct field *f)
{
	r->given = one_in(3);
	if (r->given)
		roll_plain(r, f);
}

static void roll_password_file(struct roll *r, const struct field *f)
{
	if (!r->given && one_in(3))
		roll_plain(r, f);
}

/* Rolls USB devices; without the key, there is one tablet. */
static void roll_usb(struct roll *r, const struct field *f)
{
	bool given = one_in(2);
	unsigned count = given ? random_below(5) : 1;

	for (unsigned i = 0; i < count; i++) {
		MEM_AUTO char *key = mem_format("slot.%u.device", i + 1);

		pairs_add(r->vars, key, "tablet");
	}
	if (!given)
		return;
	add_key(&r->spec->json, f->key);
	str_add(&r->spec->json, "[");
	for (unsigned i = 0; i < count; i++)
		add_text(&r->spec->json, NULL, "tablet");
	str_add(&r->spec->json, "]");
}

static void roll_id(struct roll *r, const struct field *f)
{
	MEM_AUTO char *id = mem_format("id%d", r->spec->named++);

	if (one_in(4))
		add_text(&r->spec->json, f->key, id);
}

/* Rolls a slot, which is free in most cases. */
static void roll_slot(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	unsigned bus = one_in(6) ? random_below(256) : 0, slot = 1 + random_below(30);

	if (!one_in(5) || (s->pinned[bus][slot] && !one_in(50)))
		return;
	s->pinned[bus][slot] = true;
	add_key(&s->json, f->key);
	if (bus > 0)
		str_addf(&s->json, "\"%u:%u:0\"", bus, slot);
	else if (one_in(2))
		str_addf(&s->json, "%u", slot);
	else
		str_addf(&s->json, "\"%u:%u\"", slot, one_in(50) ? random_below(8) : 0);
}

/* Rolls the only format that bhyve reads, of which it is not told. */
static void roll_format(struct roll *r, const struct field *f)
{
	if (one_in(3))
		add_text(&r->spec->json, f->key, "raw");
}

const struct special device_specials[] = {
	{ "device", "id", roll_id },
	{ "device", "slot", roll_slot },
	{ NULL, "format", roll_format },
	{ NULL, "logical_sector_size", roll_sectors },
	{ NULL, "physical_sector_size", NULL },
	{ NULL, "bootindex", roll_bootindex },
	{ "virtio-console", "ports", roll_ports },
	{ "nvme", "path", roll_nvme_path },
	{ "nvme", "ram", roll_nvme_ram },
	{ "nvme", "sectsz", roll_nvme_sectors },
	{ "nvme", "eui64", roll_eui64 },
	{ "nvme", "nocache", roll_disk_flag },
	{ "nvme", "direct", roll_disk_flag },
	{ "nvme", "ro", roll_disk_flag },
	{ "nvme", "nodelete", roll_disk_flag },
	{ "virtio-scsi", "path", roll_scsi_path },
	{ "uart", "path", roll_uart },
	{ "passthru", "src", roll_source },
	{ "passthru", "lookup", roll_lookup },
	{ "passthru", "rom", roll_rom },
	{ "fbuf", "host", NULL },
	{ "fbuf", "port", NULL },
	{ "fbuf", "xhci_tablet", NULL },
	{ "fbuf", "width", roll_pixels },
	{ "fbuf", "height", roll_pixels },
	{ "fbuf", "password", roll_password },
	{ "fbuf", "password_file", roll_password_file },
	{ "xhci", "devices", roll_usb },
	{ 0 },
};

static bool is_possible(struct random_spec *s, const struct device_kind *kind)
{
	bool *taken = strcmp(kind->name, "fbuf") == 0 ? &s->screen
	    : strcmp(kind->name, "xhci") == 0	      ? &s->usb
						      : NULL;

	if ((kind->amd64_only && s->arm64) || (kind->single && taken != NULL && *taken))
		return false;
	if (taken != NULL)
		*taken = true;
	return true;
}

static const struct device_kind *roll_kind(struct random_spec *s)
{
	const struct device_kind *kind;
	unsigned kinds = 0;

	while (device_kinds[kinds] != NULL)
		kinds++;
	do {
		kind = device_kinds[random_below(kinds)];
	} while (!is_possible(s, kind));
	return kind;
}

/* Promises the variables that a kind has with any keys. */
static void promise_kind(struct roll *r, struct random_device *dev, int at)
{
	dev->checked = true;
	pairs_add(&dev->vars, "device", known[at].model);
	if (strncmp(r->kind, "ahci-", 5) == 0)
		pairs_add(&dev->vars, "port.0.type", r->kind + 5);
	if (strcmp(r->kind, "passthru") == 0)
		r->spec->passes[r->spec->boot] = true;
	r->prefix = known[at].prefix;
	r->vars = &dev->vars;
}

static void roll_own_keys(struct roll *r, const struct device_kind *kind)
{
	if (strcmp(r->kind, "virtio-net") == 0 || strcmp(r->kind, "e1000") == 0)
		roll_backend(r);
	if (strcmp(r->kind, "fbuf") == 0)
		roll_screen(r);
	if (strcmp(r->kind, "raw") == 0) {
		r->spec->verbatim = true;
		add_text(&r->spec->json, "value", "virtio-rnd");
	} else {
		roll_rows(r, kind->fields);
	}
}

static void roll_device(struct random_spec *s)
{
	struct random_device *dev = &s->device[s->devices++];
	const struct device_kind *kind = roll_kind(s);
	struct roll common = { .spec = s, .kind = "device", .prefix = "" };
	struct roll r = { .spec = s, .kind = kind->name, .prefix = "" };
	int at = find_known(kind->name);

	add_key(&s->json, NULL);
	str_add(&s->json, "{");
	add_text(&s->json, "device", kind->name);
	roll_rows(&common, device_common_fields);
	if (at >= 0)
		promise_kind(&r, dev, at);
	roll_own_keys(&r, kind);
	str_add(&s->json, "}");
}

void roll_devices(struct random_spec *s, unsigned n)
{
	add_key(&s->json, "emulations");
	str_add(&s->json, "[");
	while (n-- > 0 && s->devices < RANDOM_DEVICES_MAX)
		roll_device(s);
	str_add(&s->json, "]");
}
