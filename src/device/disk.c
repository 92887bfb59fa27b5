/*
 * What all disks have in common, and virtio-blk.  Facts: bhyve_config(5) and bhyve's block_if.c;
 * QEMU's qapi/block-core.json.
 */
#include "device/disk.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/str.h"
#include "device/host_use.h"
#include "device/qemu_words.h"
#include "device/value_schema.h"

#define MAX_DISK_NUMBER 65535 /* boot index and rotation rate: 16 bits */
#define MIN_SECTOR 512
#define MAX_SECTOR (1 << 20)

const char *const disk_formats[] = {
	[FORMAT_RAW] = "raw",
	[FORMAT_QCOW2] = "qcow2",
	[FORMAT_VMDK] = "vmdk",
	[FORMAT_VHDX] = "vhdx",
	[FORMAT_VDI] = "vdi",
	[FORMAT_VPC] = "vpc",
	[DISK_FORMATS] = NULL,
};

_Static_assert(sizeof(disk_formats) / sizeof(disk_formats[0]) == DISK_FORMATS + 1,
    "a word for each, and a NULL");

/*
 * An image can name the files that hold the rest of it: the backing file and data file of qcow2,
 * the extents of vmdk.  qemu opens these without a word in the spec.
 */
void disk_format_names(const void *value, const struct where *at, struct host_visit *visit)
{
	int format = *(const int *)value;
	MEM_AUTO char *what = mem_format("\"%s\" is refused, because such an image can name any "
					 "other file of the host: convert it to a raw one",
	    disk_formats[format]);

	if (format == FORMAT_QCOW2 || format == FORMAT_VMDK)
		host_found(visit, HOST_INVALID, what, at);
}

int disk_bhyve_format(int format, struct error *err)
{
	if (format == FORMAT_RAW)
		return 0;
	return error_set(err, STATUS_SPEC,
	    "\"format\" is \"%s\": bhyve reads raw images only, so convert it (qemu-img convert "
	    "-O raw), or run it under qemu (--hypervisor qemu)",
	    disk_formats[format]);
}

static void number_print(const void *from, struct str *json)
{
	field_print_integer(*(const int64_t *)from, -1, json);
}

static void number_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	(void)field_integer(value, 0, MAX_DISK_NUMBER, into, at, d);
}

static void number_schema(struct str *s)
{
	schema_add_range(s, "integer", 0, MAX_DISK_NUMBER);
}

const struct field_custom disk_number_custom = {
	.parse = number_parse,
	.print = number_print,
	.type = "integer",
	.schema = number_schema,
	.host.kind = HOST_NONE,
};

static void sector_print(const void *from, struct str *json)
{
	field_print_integer(*(const int64_t *)from, 0, json);
}

static void sector_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	int64_t size;

	if (!field_integer(value, MIN_SECTOR, MAX_SECTOR, &size, at, d))
		return;
	if ((size & (size - 1)) != 0)
		report_add(d->report, STATUS_SPEC, at, "%" PRId64 " is not a power of two", size);
	else
		*(int64_t *)into = size;
}

static void sector_schema(struct str *s)
{
	json_begin_list(s, "enum");
	for (int64_t size = MIN_SECTOR; size <= MAX_SECTOR; size *= 2)
		json_add_int(s, NULL, size);
	json_end_list(s);
}

const struct field_custom disk_sector_custom = {
	.parse = sector_parse,
	.print = sector_print,
	.type = "integer",
	.schema = sector_schema,
	.host.kind = HOST_NONE,
};

struct node *disk_read_logical(const char *value)
{
	MEM_AUTO char *logical = mem_copy_n(value, strcspn(value, "/"));

	return field_read_integer(logical);
}

struct node *disk_read_physical(const char *value)
{
	const char *slash = strchr(value, '/');

	return slash == NULL ? NULL : field_read_integer(slash + 1);
}

DESCRIBES(virtio_fields, struct disk);
static const struct field virtio_fields[] = {
	DISK_PATH_ROW(struct disk, , true),
	DISK_ROWS(struct disk, , NULL, NULL, NULL),
	{ 0 },
};

void disk_check(const struct disk *disk, const struct where *at, struct decoder *d)
{
	if (disk->physical != 0 && disk->logical == 0)
		report_add(d->report, STATUS_SPEC, at,
		    "\"physical_sector_size\" needs \"logical_sector_size\" beside it");
	else if (disk->physical != 0 && disk->physical < disk->logical)
		report_add(d->report, STATUS_SPEC, at,
		    "\"physical_sector_size\" %" PRId64 " is below the logical %" PRId64,
		    disk->physical, disk->logical);
}

static void virtio_check(const struct device *dev, const struct where *at, struct decoder *d)
{
	disk_check(dev->config, at, d);
}

void disk_text(struct pairs *vars, const char *prefix, const char *key, const char *value)
{
	if (value == NULL)
		return;
	MEM_AUTO char *name = MEM_JOIN(prefix, key);

	pairs_add(vars, name, value);
}

static void flag(struct pairs *vars, const char *prefix, const char *key, bool on)
{
	disk_text(vars, prefix, key, on ? "true" : NULL);
}

/* Adds the variables that bhyve's block backend reads for every kind of disk (block_if.c). */
int disk_bhyve(const struct disk *disk, const char *prefix, const struct bhyve_host *host,
    struct pairs *vars, struct error *err)
{
	MEM_AUTO char *size = NULL, *index = NULL;

	disk_text(vars, prefix, "path", disk->path);
	flag(vars, prefix, "nocache", disk->nocache);
	flag(vars, prefix, "direct", disk->direct);
	flag(vars, prefix, "ro", disk->ro);
	flag(vars, prefix, "nodelete", disk->nodelete);
	if (disk->physical != 0)
		size = mem_format("%" PRId64 "/%" PRId64, disk->logical, disk->physical);
	else if (disk->logical != 0)
		size = mem_format("%" PRId64, disk->logical);
	disk_text(vars, prefix, "sectorsize", size);
	disk_text(vars, prefix, "ser", disk->ser);
	if (disk_bhyve_format(disk->format, err) != 0)
		return -1;
	if (disk->bootindex < 0)
		return 0;
	index = mem_format("%" PRId64, disk->bootindex);
	disk_text(vars, prefix, "bootindex", index);
	return device_boot_order(host, err);
}

void disk_claim(const struct disk *disk, struct pairs *claims)
{
	if (disk->bootindex >= 0)
		pairs_addf(claims, CLAIM_BOOT_INDEX, "%" PRId64, disk->bootindex);
}

static void virtio_claims(const struct device *dev, struct pairs *claims)
{
	disk_claim(dev->config, claims);
}

void disk_need(const struct disk *disk, bool cd, const char *key, struct needs *needs)
{
	struct need *need = needs_add(needs, NEED_DISK, key, disk->path);

	need->cd = cd;
	need->write = !disk->ro && !cd;
	need->sector = disk->logical;
	need->format = disk_formats[disk->format];
}

static void virtio_needs(const struct device *dev, struct needs *needs)
{
	disk_need(dev->config, false, "path", needs);
}

static int virtio_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	pairs_add(vars, "device", "virtio-blk");
	return disk_bhyve(dev->config, "", host, vars, err);
}

/* Makes the name from the slot, because qemu allows 31 bytes here and an id may be longer. */
char *disk_node(const struct device *dev, size_t port)
{
	const struct slot *s = &dev->slot;

	return port == 0 ? mem_format("disk-%d.%d.%d", s->bus, s->slot, s->function)
			 : mem_format("disk-%d.%d.%d-%zu", s->bus, s->slot, s->function, port);
}

/*
 * Returns whether qemu must open the path as a device: its driver for files refuses devices, and
 * the one for devices refuses files.  The name tells where nothing may be asked or nothing is yet:
 * what is below /dev is a disk or a zvol, except in the file system /dev/shm.
 */
static bool is_host_device(const char *path, bool dry)
{
	struct stat st;

	if (!dry && stat(path, &st) == 0)
		return S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode);
	return str_after(path, "/dev/") != NULL && str_after(path, "/dev/shm/") == NULL;
}

void disk_qemu_file(const struct disk *disk, const struct qemu_build *q)
{
	qemu_pair(
	    q->argv, "file.driver", is_host_device(disk->path, q->dry) ? "host_device" : "file");
	qemu_pair(q->argv, "file.filename", disk->path);
}

void disk_blockdev(const struct disk *disk, const struct qemu_build *q, const char *node, bool ro)
{
	struct words *argv = q->argv;

	qemu_begin(argv, "-blockdev", NULL);
	qemu_pair(argv, "driver", disk_formats[disk->format]);
	qemu_pair(argv, "node-name", node);
	qemu_pair(argv, "discard", disk->nodelete ? NULL : "unmap");
	qemu_pair(argv, "read-only", ro ? "on" : NULL);
	qemu_pair(argv, "cache.direct", disk->nocache ? "on" : NULL);
	disk_qemu_file(disk, q);
}

void disk_qemu_sectors(int64_t logical, int64_t physical, struct words *argv)
{
	if (logical == 0)
		return;
	qemu_pairf(argv, "logical_block_size", "%" PRId64, logical);
	qemu_pairf(argv, "physical_block_size", "%" PRId64, physical != 0 ? physical : logical);
}

void disk_qemu_bootindex(int64_t bootindex, struct words *argv)
{
	if (bootindex >= 0)
		qemu_pairf(argv, "bootindex", "%" PRId64, bootindex);
}

void disk_qemu_backend(const struct disk *disk, struct words *argv)
{
	qemu_pair(argv, "write-cache", disk->direct ? "off" : NULL);
	disk_qemu_bootindex(disk->bootindex, argv);
}

void disk_qemu_options(const struct disk *disk, struct words *argv)
{
	/* When the host's disk is full, the guest sees an I/O error, as under bhyve. */
	qemu_pair(argv, "rerror", "report");
	qemu_pair(argv, "werror", "report");
	qemu_pair(argv, "serial", disk->ser);
	disk_qemu_backend(disk, argv);
}

static int virtio_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct disk *disk = dev->config;
	MEM_AUTO char *node = disk_node(dev, 0);

	(void)err;
	disk_blockdev(disk, q, node, disk->ro);
	qemu_begin(q->argv, "-device", "virtio-blk-pci");
	qemu_pair(q->argv, "id", dev->id);
	qemu_pair(q->argv, "drive", node);
	qemu_address(q, dev);
	disk_qemu_options(disk, q->argv);
	disk_qemu_sectors(disk->logical, disk->physical, q->argv);
	return 0;
}

static const struct bhyve_form virtio_form = { .model = "virtio-blk", .first = "path" };

const struct device_kind device_virtio_blk = {
	.name = "virtio-blk",
	.help = "virtio disk",
	DEVICE_CONFIG(struct disk, virtio_fields),
	.check = virtio_check,
	.form = &virtio_form,
	.claims = virtio_claims,
	.needs = virtio_needs,
	.bhyve = virtio_bhyve,
	.qemu = virtio_qemu,
};
