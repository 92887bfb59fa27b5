/* Disks: virtio-blk and the one-port AHCI models.  Facts: bhyve_config(5), bhyve's block_if.c and
 * pci_ahci.c; QEMU's qapi/block-core.json. */
#include "device/device.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "device/qemu_words.h"

struct disk {
	char *path;
	bool nocache, direct, ro, nodelete;
	int64_t logical, physical; /* bytes; 0: the hypervisor's choice */
	char *ser;
	int64_t bootindex; /* -1: none */
	int64_t nmrr;	   /* rotation rate; -1: none */
	char *rev, *model;
};

static void disk_defaults(void *config)
{
	struct disk *disk = config;

	disk->bootindex = -1;
	disk->nmrr = -1;
}

static void number_print(const void *from, struct str *json)
{
	int64_t value = *(const int64_t *)from;

	if (value < 0)
		str_add(json, "null");
	else
		str_addf(json, "%" PRId64, value);
}

static void number_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	(void)field_integer(value, 0, 65535, into, at, d);
}

static const struct field_custom number_custom = {
	.parse = number_parse,
	.print = number_print,
	.type = "integer",
	.schema = "\"type\":\"integer\",\"minimum\":0,\"maximum\":65535",
};

static void sector_print(const void *from, struct str *json)
{
	int64_t value = *(const int64_t *)from;

	str_addf(json, value == 0 ? "null" : "%" PRId64, value);
}

static void sector_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	int64_t size;

	if (!field_integer(value, 512, 1 << 20, &size, at, d))
		return;
	if ((size & (size - 1)) != 0)
		report_add(d->report, STATUS_SPEC, at, "%" PRId64 " is not a power of two", size);
	else
		*(int64_t *)into = size;
}

static const struct field_custom sector_custom = {
	.parse = sector_parse,
	.print = sector_print,
	.type = "integer",
	.schema =
	    "\"enum\":[512,1024,2048,4096,8192,16384,32768,65536,131072,262144,524288,1048576]",
};

/* clang-format off */
#define DISK_ROWS \
	{ "path", FIELD_PATH, offsetof(struct disk, path), .required = true, \
	    .help = "image file, zvol or other disk device" }, \
	{ "nocache", FIELD_BOOL, offsetof(struct disk, nocache), .help = "bypass the host's cache" }, \
	{ "direct", FIELD_BOOL, offsetof(struct disk, direct), .help = "write through to the disk" }, \
	{ "ro", FIELD_BOOL, offsetof(struct disk, ro), .help = "refuse writes from the guest" }, \
	{ "nodelete", FIELD_BOOL, offsetof(struct disk, nodelete), .help = "ignore the guest's TRIM" }, \
	{ "logical_sector_size", FIELD_CUSTOM, offsetof(struct disk, logical), \
	    .custom = &sector_custom, .help = "bytes, a power of two" }, \
	{ "physical_sector_size", FIELD_CUSTOM, offsetof(struct disk, physical), \
	    .custom = &sector_custom, .help = "bytes, not below the logical size" }, \
	{ "ser", FIELD_STRING, offsetof(struct disk, ser), .longest = 20, .help = "serial number" }, \
	{ "bootindex", FIELD_CUSTOM, offsetof(struct disk, bootindex), \
	    .custom = &number_custom, .help = "place in the boot order" }

static const struct field virtio_fields[] = { DISK_ROWS, { 0 } };

static const struct field ahci_fields[] = {
	DISK_ROWS,
	{ "nmrr", FIELD_CUSTOM, offsetof(struct disk, nmrr), .custom = &number_custom,
	    .help = "rotation rate, 1 for a solid state disk" },
	{ "rev", FIELD_STRING, offsetof(struct disk, rev), .longest = 8, .help = "firmware revision" },
	{ "model", FIELD_STRING, offsetof(struct disk, model), .longest = 40, .help = "model name" },
	{ 0 },
};
/* clang-format on */

static void disk_check(const struct device *dev, const struct where *at, struct decoder *d)
{
	const struct disk *disk = dev->config;

	if (disk->physical != 0 && disk->logical == 0)
		report_add(d->report, STATUS_SPEC, at,
		    "\"physical_sector_size\" needs \"logical_sector_size\" beside it");
	else if (disk->physical != 0 && disk->physical < disk->logical)
		report_add(d->report, STATUS_SPEC, at,
		    "\"physical_sector_size\" %" PRId64 " is below the logical %" PRId64,
		    disk->physical, disk->logical);
}

static void flag(struct pairs *vars, const char *prefix, const char *key, bool on)
{
	MEM_AUTO char *name = mem_format("%s%s", prefix, key);

	if (on)
		pairs_add(vars, name, "true");
}

static void text(struct pairs *vars, const char *prefix, const char *key, const char *value)
{
	MEM_AUTO char *name = mem_format("%s%s", prefix, key);

	if (value != NULL)
		pairs_add(vars, name, value);
}

/* The block backend reads the same keys for every kind of disk (block_if.c). */
static void block_vars(const struct disk *disk, const char *prefix, struct pairs *vars)
{
	MEM_AUTO char *size = NULL, *index = NULL;

	text(vars, prefix, "path", disk->path);
	flag(vars, prefix, "nocache", disk->nocache);
	flag(vars, prefix, "direct", disk->direct);
	flag(vars, prefix, "ro", disk->ro);
	flag(vars, prefix, "nodelete", disk->nodelete);
	if (disk->physical != 0)
		size = mem_format("%" PRId64 "/%" PRId64, disk->logical, disk->physical);
	else if (disk->logical != 0)
		size = mem_format("%" PRId64, disk->logical);
	text(vars, prefix, "sectorsize", size);
	text(vars, prefix, "ser", disk->ser);
	if (disk->bootindex >= 0)
		index = mem_format("%" PRId64, disk->bootindex);
	text(vars, prefix, "bootindex", index);
}

static int refuse_bootindex(
    const struct disk *disk, const struct bhyve_host *host, struct error *err)
{
	if (disk->bootindex >= 0 && host->release < 14)
		return error_set(err, STATUS_SPEC, "\"bootindex\" needs FreeBSD 14");
	return 0;
}

static void disk_claims(const struct device *dev, struct pairs *claims)
{
	const struct disk *disk = dev->config;

	if (disk->bootindex >= 0)
		pairs_addf(claims, "boot index", "%" PRId64, disk->bootindex);
}

static void disk_needs(const struct device *dev, struct needs *needs)
{
	const struct disk *disk = dev->config;
	struct need *need = needs_add(needs, NEED_DISK, "path", disk->path);

	need->cd = dev->kind == &device_ahci_cd;
	need->write = !disk->ro && !need->cd;
	need->sector = disk->logical;
}

static int virtio_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	pairs_add(vars, "device", "virtio-blk");
	block_vars(dev->config, "", vars);
	return refuse_bootindex(dev->config, host, err);
}

static int ahci_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct disk *disk = dev->config;

	pairs_add(vars, "device", "ahci");
	pairs_add(vars, "port.0.type", dev->kind == &device_ahci_cd ? "cd" : "hd");
	block_vars(disk, "port.0.", vars);
	if (disk->nmrr >= 0)
		pairs_addf(vars, "port.0.nmrr", "%" PRId64, disk->nmrr);
	text(vars, "port.0.", "rev", disk->rev);
	text(vars, "port.0.", "model", disk->model);
	return refuse_bootindex(disk, host, err);
}

/* Of the block node behind a disk. Not made of the id: 31 bytes are all that qemu takes here. */
static char *qemu_node(const struct device *dev)
{
	const struct slot *s = &dev->slot;

	return mem_format("disk-%d.%d.%d", s->bus, s->slot, s->function);
}

/* "host_device" is asked for by path: what is under /dev is a block device or a zvol. */
static void qemu_blockdev(const struct device *dev, struct words *argv, const char *node, bool ro)
{
	const struct disk *disk = dev->config;
	const char *driver = strncmp(disk->path, "/dev/", 5) == 0 ? "host_device" : "file";
	MEM_AUTO char *options = mem_format("%s%s%s", disk->nodelete ? "" : ",discard=unmap",
	    ro ? ",read-only=on" : "", disk->nocache ? ",cache.direct=on" : "");
	MEM_AUTO char *fmt = mem_format(
	    "driver=raw,node-name=%%s%s,file.driver=%s,file.filename=%%s", options, driver);

	qemu_option(argv, "-blockdev", fmt, node, disk->path);
}

/* The part of -device that every disk model shares. Caller frees. */
static char *qemu_disk_options(const struct disk *disk)
{
	struct str s = { 0 };

	/* A full host disk is an error for the guest to see, as under bhyve, not the end of it. */
	str_add(&s, ",rerror=report,werror=report");
	str_add(&s, disk->ser != NULL ? ",serial=%s" : "%s");
	if (disk->direct)
		str_add(&s, ",write-cache=off");
	if (disk->bootindex >= 0)
		str_addf(&s, ",bootindex=%" PRId64, disk->bootindex);
	return str_take(&s);
}

static int virtio_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct disk *disk = dev->config;
	MEM_AUTO char *common = qemu_disk_options(disk), *node = qemu_node(dev);
	MEM_AUTO char *size = mem_copy("");
	MEM_AUTO char *fmt = NULL;

	(void)err;
	if (disk->logical != 0) {
		mem_free_at(&size);
		size = mem_format(",logical_block_size=%" PRId64 ",physical_block_size=%" PRId64,
		    disk->logical, disk->physical != 0 ? disk->physical : disk->logical);
	}
	fmt = mem_format("virtio-blk-pci,id=%%s,drive=%%s,%s%s%s", q->address, common, size);
	qemu_blockdev(dev, q->argv, node, disk->ro);
	qemu_option(q->argv, "-device", fmt, dev->id, node, disk->ser == NULL ? "" : disk->ser);
	return 0;
}

static int ahci_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct disk *disk = dev->config;
	bool cd = dev->kind == &device_ahci_cd;
	MEM_AUTO char *common = qemu_disk_options(disk), *node = qemu_node(dev);
	MEM_AUTO char *bus = NULL, *fmt = NULL, *rate = NULL;

	if (!cd && disk->ro)
		return error_set(err, STATUS_SPEC,
		    "an IDE disk cannot be read-only under qemu: use virtio-blk, or drop \"ro\"");
	if (disk->logical > 512)
		return error_set(err, STATUS_SPEC,
		    "IDE sectors have 512 bytes under qemu: use virtio-blk for %" PRId64,
		    disk->logical);
	rate = disk->nmrr >= 0 && !cd ? mem_format(",rotation_rate=%" PRId64, disk->nmrr)
				      : mem_copy("");
	bus = mem_format("ich9-ahci,id=%%s,%s", q->address);
	fmt = mem_format("ide-%s,bus=%%s.0,drive=%%s%s%s%s%s", cd ? "cd" : "hd", common, rate,
	    disk->rev != NULL ? ",ver=%s" : "%s", disk->model != NULL ? ",model=%s" : "%s");
	qemu_blockdev(dev, q->argv, node, cd || disk->ro);
	qemu_option(q->argv, "-device", bus, dev->id);
	qemu_option(q->argv, "-device", fmt, dev->id, node, disk->ser == NULL ? "" : disk->ser,
	    disk->rev == NULL ? "" : disk->rev, disk->model == NULL ? "" : disk->model);
	return 0;
}

static const char *const ahci_implied[] = { "port.0.type", NULL };
static const struct bhyve_form virtio_form = { .model = "virtio-blk", .first = "path" };
static const struct bhyve_form hd_form = {
	.model = "ahci-hd", .first = "port.0.path", .prefix = "port.0.", .implied = ahci_implied
};
static const struct bhyve_form cd_form = {
	.model = "ahci-cd", .first = "port.0.path", .prefix = "port.0.", .implied = ahci_implied
};

const struct device_kind device_virtio_blk = {
	.name = "virtio-blk",
	.help = "virtio disk",
	.size = sizeof(struct disk),
	.fields = virtio_fields,
	.defaults = disk_defaults,
	.check = disk_check,
	.form = &virtio_form,
	.claims = disk_claims,
	.needs = disk_needs,
	.bhyve = virtio_bhyve,
	.qemu = virtio_qemu,
};

const struct device_kind device_ahci_hd = {
	.name = "ahci-hd",
	.help = "SATA disk on a controller of its own",
	.size = sizeof(struct disk),
	.fields = ahci_fields,
	.defaults = disk_defaults,
	.check = disk_check,
	.form = &hd_form,
	.claims = disk_claims,
	.needs = disk_needs,
	.bhyve = ahci_bhyve,
	.qemu = ahci_qemu,
};

const struct device_kind device_ahci_cd = {
	.name = "ahci-cd",
	.help = "SATA CD drive on a controller of its own",
	.size = sizeof(struct disk),
	.fields = ahci_fields,
	.defaults = disk_defaults,
	.check = disk_check,
	.form = &cd_form,
	.claims = disk_claims,
	.needs = disk_needs,
	.bhyve = ahci_bhyve,
	.qemu = ahci_qemu,
};
