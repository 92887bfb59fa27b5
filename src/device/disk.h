/* What every model of a disk has: virtio-blk, each port of an AHCI controller, nvme. */
#ifndef DEVICE_DISK_H
#define DEVICE_DISK_H

#include "device/device.h"

/* Bytes of the texts that ATA has fields for. */
#define MAX_DISK_SERIAL 20
#define MAX_DISK_REVISION 8
#define MAX_DISK_MODEL 40

/* Formats of images, as qemu names them; bhyve reads raw ones only. */
enum disk_format {
	FORMAT_RAW,
	FORMAT_QCOW2,
	FORMAT_VMDK,
	FORMAT_VHDX,
	FORMAT_VDI,
	FORMAT_VPC,
	DISK_FORMATS
};

extern const char *const disk_formats[]; /* NULL-terminated */

struct disk {
	char *path;
	int format; /* enum disk_format */
	bool nocache, direct, ro, nodelete;
	int64_t logical, physical; /* bytes; 0: the hypervisor's choice */
	char *ser;
	int64_t bootindex; /* -1: none */
	int64_t nmrr;	   /* rotation rate; -1: none */
	char *rev, *model;
};

DESCRIBES(disk_number_custom, int64_t);
DESCRIBES(disk_sector_custom, int64_t);
extern const struct field_custom disk_number_custom, disk_sector_custom;

/* The rows of a struct whose members `in` (as "disk.", or nothing) are those of a struct disk. */
/* clang-format off */
#define DISK_PATH_ROW(owner, in, is_required) \
	ROW_PATH("path", owner, in path, .required = (is_required), .host.kind = HOST_PATH, \
	    .help = "image file, zvol or other disk device")
#define DISK_FORMAT_ROW(owner, in) \
	ROW_CHOICE("format", owner, in format, disk_formats, .preset = "\"raw\"", .variable = "", \
	    .host = { .kind = HOST_BY_VALUE, .names = disk_format_names }, .bhyve = "raw only", \
	    .help = "format of the image; bhyve reads raw only")
/* The last three say what qemu makes of `ro` and the sector sizes; NULL: it follows the key. */
#define DISK_ROWS(owner, in, qemu_ro, qemu_logical, qemu_physical) \
	DISK_FORMAT_ROW(owner, in), \
	ROW_BOOL("nocache", owner, in nocache, .help = "bypass the host's cache"), \
	ROW_BOOL("direct", owner, in direct, .help = "write through to the disk"), \
	ROW_BOOL("ro", owner, in ro, .qemu = (qemu_ro), .help = "refuse writes from the guest"), \
	ROW_BOOL("nodelete", owner, in nodelete, .help = "ignore TRIM requests of the guest"), \
	ROW_CUSTOM("logical_sector_size", owner, in logical, disk_sector_custom, .qemu = (qemu_logical), \
	    .variable = "sectorsize", .read = disk_read_logical, \
	    .help = "bytes: a power of two, 512 to 1048576"), \
	ROW_CUSTOM("physical_sector_size", owner, in physical, disk_sector_custom, .qemu = (qemu_physical), \
	    .variable = "sectorsize", .read = disk_read_physical, \
	    .help = "bytes: a power of two, not below the logical size"), \
	ROW_STRING("ser", owner, in ser, .max_length = MAX_DISK_SERIAL, .host.kind = HOST_NONE, \
	    .help = "serial number"), \
	ROW_CUSTOM("bootindex", owner, in bootindex, disk_number_custom, .unset = -1, \
	    .help = "place in the boot order, 0 to 65535, lowest first")
/* clang-format on */

/* Return the sizes of sectors in "LOGICAL/PHYSICAL" or "LOGICAL", for the rows above. */
struct node *disk_read_logical(const char *value);
struct node *disk_read_physical(const char *value);
/* Finds that an image may name further files of the host: of the row above. */
void disk_format_names(const void *value, const struct where *at, struct host_visit *visit);
/* Fails with the reason if bhyve cannot read the format of an image. */
int disk_bhyve_format(int format, struct error *err);
/* Checks the rules between the rows above. */
void disk_check(const struct disk *disk, const struct where *at, struct decoder *d);
/* Adds the boot index, if the disk has one. */
void disk_claim(const struct disk *disk, struct pairs *claims);
/* Adds the need for the disk; `key` is the key that has the path. */
void disk_need(const struct disk *disk, bool cd, const char *key, struct needs *needs);
/* Adds the variables of the block backend below prefix.  Fails if this bhyve cannot have them. */
int disk_bhyve(const struct disk *disk, const char *prefix, const struct bhyve_host *host,
    struct pairs *vars, struct error *err);
/* Adds PREFIXkey=value, unless the value is NULL. */
void disk_text(struct pairs *vars, const char *prefix, const char *key, const char *value);

/* Returns the name of the block node behind a disk.  Caller frees. */
char *disk_node(const struct device *dev, size_t port);
/* Adds a -blockdev with this node name for qemu. */
void disk_blockdev(const struct disk *disk, const struct qemu_build *q, const char *node, bool ro);
/* Extends the options of a block node by the file or device that holds the image. */
void disk_qemu_file(const struct disk *disk, const struct qemu_build *q);
/*
 * Extend a -device: by the sector sizes, if any are given; by the options that the drives of all
 * models have, including the serial number; by the write cache and the boot index only; by the boot
 * index only.
 */
void disk_qemu_sectors(int64_t logical, int64_t physical, struct words *argv);
void disk_qemu_options(const struct disk *disk, struct words *argv);
void disk_qemu_backend(const struct disk *disk, struct words *argv);
void disk_qemu_bootindex(int64_t bootindex, struct words *argv);

#endif
