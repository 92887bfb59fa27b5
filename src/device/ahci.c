/*
 * SATA: ahci-hd and ahci-cd, controllers with one port each, and ahci with up to 32.  Facts:
 * bhyve's pci_ahci.c; runs of QEMU's ich9-ahci.
 */
#include <inttypes.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/disk.h"
#include "device/qemu_words.h"

#define MAX_AHCI_PORTS 32
#define MAX_QEMU_PORTS 6
#define MAX_IDE_SECTOR 512 /* bytes, under qemu */

enum drive { DRIVE_HD, DRIVE_CD, DRIVES };

static const char *const types[] = {
	[DRIVE_HD] = "hd",
	[DRIVE_CD] = "cd",
	[DRIVES] = NULL,
};

_Static_assert(sizeof(types) / sizeof(types[0]) == DRIVES + 1, "a word for each, and a NULL");

struct port {
	struct disk disk;
	int type; /* enum drive */
};

struct ahci {
	struct field_list ports;
};

/* clang-format off */
/* The rows of a drive; the last four say what qemu makes of some keys, as for DISK_ROWS. */
#define SATA_ROWS(owner, in, qemu_ro, qemu_logical, qemu_physical, qemu_rate) \
	DISK_PATH_ROW(owner, in, true), \
	DISK_ROWS(owner, in, qemu_ro, qemu_logical, qemu_physical), \
	ROW_CUSTOM("nmrr", owner, in nmrr, disk_number_custom, .unset = -1, .qemu = (qemu_rate), \
	    .help = "rotation rate, 0 to 65535; 1: solid state disk"), \
	ROW_STRING("rev", owner, in rev, .max_length = MAX_DISK_REVISION, .host.kind = HOST_NONE, \
	    .help = "firmware revision"), \
	ROW_STRING("model", owner, in model, .max_length = MAX_DISK_MODEL, .host.kind = HOST_NONE, \
	    .help = "model name")

#define SATA_HD_ROWS(owner, in) SATA_ROWS(owner, in, "writes are discarded", "512 only", NULL, NULL)
#define SATA_CD_ROWS(owner, in) \
	SATA_ROWS(owner, in, "always", KEY_IGNORED, KEY_IGNORED, KEY_IGNORED)

DESCRIBES(hd_fields, struct disk);
static const struct field hd_fields[] = { SATA_HD_ROWS(struct disk, ), { 0 } };

DESCRIBES(cd_fields, struct disk);
static const struct field cd_fields[] = { SATA_CD_ROWS(struct disk, ), { 0 } };

DESCRIBES(port_fields, struct port);
static const struct field port_fields[] = {
	ROW_CHOICE("type", struct port, type, types, .required = true,
	    .help = "disk or CD drive: hd or cd"),
	SATA_HD_ROWS(struct port, disk.),
	{ 0 },
};

DESCRIBES(ahci_fields, struct ahci);
static const struct field ahci_fields[] = {
	ROW_LIST("ports", struct ahci, ports, port_fields, .variable = "port", .required = true, .has_range = true,
	    .min = 1, .max = MAX_AHCI_PORTS, .qemu = "at most " NUMBER_TEXT(MAX_QEMU_PORTS),
	    .help = "list of drives; the first is on port 0"),
	{ 0 },
};
/* clang-format on */

static void one_check(const struct device *dev, const struct where *at, struct decoder *d)
{
	disk_check(dev->config, at, d);
}

static void ahci_check(const struct device *dev, const struct where *at, struct decoder *d)
{
	const struct field_list *ports = &((const struct ahci *)dev->config)->ports;
	const struct port *port = ports->item;
	struct where list = { at, "ports", 0 };

	for (size_t i = 0; i < ports->count; i++) {
		struct where entry = { &list, NULL, i }, index = { &entry, "bootindex", 0 };

		disk_check(&port[i].disk, &entry, d);
		for (size_t k = 0; k < i; k++) {
			if (port[i].disk.bootindex >= 0 &&
			    port[k].disk.bootindex == port[i].disk.bootindex)
				report_add(d->report, STATUS_SPEC, &index,
				    "ports[%zu] has the boot index %" PRId64 " already", k,
				    port[i].disk.bootindex);
		}
	}
}

static void one_claims(const struct device *dev, struct pairs *claims)
{
	disk_claim(dev->config, claims);
}

static void ahci_claims(const struct device *dev, struct pairs *claims)
{
	const struct field_list *ports = &((const struct ahci *)dev->config)->ports;

	for (size_t i = 0; i < ports->count; i++)
		disk_claim(&((const struct port *)ports->item)[i].disk, claims);
}

static void one_needs(const struct device *dev, struct needs *needs)
{
	disk_need(dev->config, dev->kind == &device_ahci_cd, "path", needs);
}

static void ahci_needs(const struct device *dev, struct needs *needs)
{
	const struct field_list *ports = &((const struct ahci *)dev->config)->ports;
	const struct port *port = ports->item;

	for (size_t i = 0; i < ports->count; i++)
		disk_need(&port[i].disk, port[i].type == DRIVE_CD, "ports", needs);
}

static int port_bhyve(const struct disk *disk, int type, size_t number,
    const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	STR_AUTO struct str prefix = { 0 };
	MEM_AUTO char *rate = disk->nmrr >= 0 ? mem_format("%" PRId64, disk->nmrr) : NULL;
	int rc;

	str_add(&prefix, "port.");
	str_add_int(&prefix, (int64_t)number);
	str_add_char(&prefix, '.');
	disk_text(vars, prefix.text, "type", types[type]);
	rc = disk_bhyve(disk, prefix.text, host, vars, err);
	disk_text(vars, prefix.text, "nmrr", rate);
	disk_text(vars, prefix.text, "rev", disk->rev);
	disk_text(vars, prefix.text, "model", disk->model);
	return rc;
}

static int one_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	pairs_add(vars, "device", "ahci");
	return port_bhyve(
	    dev->config, dev->kind == &device_ahci_cd ? DRIVE_CD : DRIVE_HD, 0, host, vars, err);
}

static int ahci_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct field_list *ports = &((const struct ahci *)dev->config)->ports;
	const struct port *port = ports->item;
	int rc = 0;

	pairs_add(vars, "device", "ahci");
	for (size_t i = 0; rc == 0 && i < ports->count; i++)
		rc = port_bhyve(&port[i].disk, port[i].type, i, host, vars, err);
	return rc;
}

/* A CD has blocks of 2048 bytes under both hypervisors, whatever the spec says. */
static int refuse_port(const struct disk *disk, int type, struct error *err)
{
	if (type == DRIVE_HD && disk->logical > MAX_IDE_SECTOR)
		return error_set(err, STATUS_SPEC,
		    "qemu's SATA disks have sectors of %d bytes: use virtio-blk for %" PRId64,
		    MAX_IDE_SECTOR, disk->logical);
	return 0;
}

static void add_controller(const struct device *dev, struct qemu_build *q)
{
	qemu_begin(q->argv, "-device", "ich9-ahci");
	qemu_pair(q->argv, "id", dev->id);
	qemu_address(q, dev);
}

/*
 * Adds a disk with "ro" as a temporary overlay, because qemu refuses a read-only IDE disk: the
 * image stays as it is.
 */
static void add_overlay(const struct disk *disk, const char *node, struct qemu_build *q)
{
	qemu_begin(q->argv, "-drive", NULL);
	qemu_pair(q->argv, "if", "none");
	qemu_pair(q->argv, "id", node);
	qemu_pair(q->argv, "format", disk_formats[disk->format]);
	qemu_pair(q->argv, "snapshot", "on");
	qemu_pair(q->argv, "cache.direct", disk->nocache ? "on" : NULL);
	disk_qemu_file(disk, q);
	words_addf(q->notes,
	    "%s: qemu has no read-only IDE disk: the guest can write to the disk, but qemu "
	    "discards the changes at the end of the boot",
	    disk->path);
}

static void add_node(const struct device *dev, const struct disk *disk, int type, size_t number,
    struct qemu_build *q)
{
	MEM_AUTO char *node = disk_node(dev, number);

	if (type == DRIVE_HD && disk->ro)
		add_overlay(disk, node, q);
	else
		disk_blockdev(disk, q, node, type == DRIVE_CD);
}

static void add_drive(
    const struct device *dev, const struct disk *disk, int type, size_t number, struct words *argv)
{
	bool cd = type == DRIVE_CD;
	MEM_AUTO char *model = mem_format("ide-%s", types[type]), *node = disk_node(dev, number);

	qemu_begin(argv, "-device", model);
	qemu_pairf(argv, "bus", "%s.%zu", dev->id, number);
	qemu_pair(argv, "drive", node);
	disk_qemu_options(disk, argv);
	disk_qemu_sectors(cd ? 0 : disk->logical, disk->physical, argv);
	if (disk->nmrr >= 0 && !cd)
		qemu_pairf(argv, "rotation_rate", "%" PRId64, disk->nmrr);
	qemu_pair(argv, "ver", disk->rev);
	qemu_pair(argv, "model", disk->model);
}

static int one_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	int type = dev->kind == &device_ahci_cd ? DRIVE_CD : DRIVE_HD;

	if (refuse_port(dev->config, type, err) != 0)
		return -1;
	add_node(dev, dev->config, type, 0, q);
	add_controller(dev, q);
	add_drive(dev, dev->config, type, 0, q->argv);
	return 0;
}

static int ahci_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct field_list *ports = &((const struct ahci *)dev->config)->ports;
	const struct port *port = ports->item;

	if (ports->count > MAX_QEMU_PORTS)
		return error_set(err, STATUS_SPEC,
		    "qemu's controller has %d ports, not %zu: use several controllers",
		    MAX_QEMU_PORTS, ports->count);
	for (size_t i = 0; i < ports->count; i++) {
		if (refuse_port(&port[i].disk, port[i].type, err) != 0)
			return error_prefix(err, "ports[%zu]", i);
		add_node(dev, &port[i].disk, port[i].type, i, q);
	}
	add_controller(dev, q);
	for (size_t i = 0; i < ports->count; i++)
		add_drive(dev, &port[i].disk, port[i].type, i, q->argv);
	return 0;
}

/* Returns whether the controller has one drive, so that a kind with one can read the variables. */
static bool one_read(const struct pairs *vars, const char *directory, struct node *entry)
{
	(void)directory;
	(void)entry;
	for (size_t i = 0; i < vars->count; i++) {
		const char *port = str_after(vars->item[i].key, "port.");

		if (port != NULL && str_after(port, "0.") == NULL)
			return false;
	}
	return true;
}

static const char *const of_hd[] = { "device", "ahci", "port.0.type", "hd", NULL };
static const char *const of_cd[] = { "device", "ahci", "port.0.type", "cd", NULL };
static const struct bhyve_form hd_form = {
	.model = "ahci-hd", .first = "port.0.path", .prefix = "port.0.", .implied = of_hd
};
static const struct bhyve_form cd_form = {
	.model = "ahci-cd", .first = "port.0.path", .prefix = "port.0.", .implied = of_cd
};
static const struct bhyve_form form = { .model = "ahci", .ports = true };

const struct device_kind device_ahci_hd = {
	.name = "ahci-hd",
	.help = "SATA disk on a controller of its own",
	DEVICE_CONFIG(struct disk, hd_fields),
	.check = one_check,
	.form = &hd_form,
	.claims = one_claims,
	.needs = one_needs,
	.bhyve = one_bhyve,
	.read = one_read,
	.qemu = one_qemu,
};

const struct device_kind device_ahci_cd = {
	.name = "ahci-cd",
	.help = "SATA CD drive on a controller of its own",
	DEVICE_CONFIG(struct disk, cd_fields),
	.check = one_check,
	.form = &cd_form,
	.claims = one_claims,
	.needs = one_needs,
	.bhyve = one_bhyve,
	.read = one_read,
	.qemu = one_qemu,
};

const struct device_kind device_ahci = {
	.name = "ahci",
	.help = "SATA controller with several drives",
	DEVICE_CONFIG(struct ahci, ahci_fields),
	.check = ahci_check,
	.form = &form,
	.claims = ahci_claims,
	.needs = ahci_needs,
	.bhyve = ahci_bhyve,
	.qemu = ahci_qemu,
};
