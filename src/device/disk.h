/* What every model of a disk has: virtio-blk, each port of an AHCI controller, nvme. */
#ifndef DEVICE_DISK_H
#define DEVICE_DISK_H

#include "device/device.h"

struct disk {
	char *path;
	bool nocache, direct, ro, nodelete;
	int64_t logical, physical; /* bytes; 0: the hypervisor's choice */
	char *ser;
	int64_t bootindex; /* -1: none */
	int64_t nmrr;	   /* rotation rate; -1: none */
	char *rev, *model;
};

extern const struct field_custom disk_number_custom, disk_sector_custom;

/* The rows of a struct that begins with a struct disk. */
/* clang-format off */
#define DISK_PATH_ROW(is_required) \
	{ "path", FIELD_PATH, offsetof(struct disk, path), .required = (is_required), \
	    .host.kind = HOST_PATH, \
	    .help = "image file, zvol or other disk device" }
#define DISK_ROWS \
	{ "nocache", FIELD_BOOL, offsetof(struct disk, nocache), .help = "bypass the host's cache" }, \
	{ "direct", FIELD_BOOL, offsetof(struct disk, direct), .help = "write through to the disk" }, \
	{ "ro", FIELD_BOOL, offsetof(struct disk, ro), .help = "refuse writes from the guest" }, \
	{ "nodelete", FIELD_BOOL, offsetof(struct disk, nodelete), .help = "ignore the guest's TRIM" }, \
	{ "logical_sector_size", FIELD_CUSTOM, offsetof(struct disk, logical), \
	    .custom = &disk_sector_custom, .help = "bytes, a power of two" }, \
	{ "physical_sector_size", FIELD_CUSTOM, offsetof(struct disk, physical), \
	    .custom = &disk_sector_custom, .help = "bytes, not below the logical size" }, \
	{ "ser", FIELD_STRING, offsetof(struct disk, ser), .longest = 20, \
	    .host.kind = HOST_NONE, .help = "serial number" }, \
	{ "bootindex", FIELD_CUSTOM, offsetof(struct disk, bootindex), \
	    .custom = &disk_number_custom, .help = "place in the boot order" }
/* clang-format on */

void disk_defaults(void *config);
/* The rules between the rows above. */
void disk_check(const struct disk *disk, const struct where *at, struct decoder *d);
void disk_claim(const struct disk *disk, struct pairs *claims);
/* `key` is where the path stands. */
void disk_need(const struct disk *disk, bool cd, const char *key, struct needs *needs);
/* Adds the variables of the block backend below prefix; -1 when this bhyve cannot. */
int disk_bhyve(const struct disk *disk, const char *prefix, const struct bhyve_host *host,
    struct pairs *vars, struct error *err);
/* PREFIXkey=value, if there is a value. */
void disk_text(struct pairs *vars, const char *prefix, const char *key, const char *value);

/* Name of the block node behind a disk. Caller frees. */
char *disk_node(const struct device *dev, size_t port);
void disk_blockdev(const struct disk *disk, struct words *argv, const char *node, bool ro);
/* The sector sizes for -device, "" when none was asked for. Caller frees. */
char *disk_qemu_sectors(int64_t logical, int64_t physical);
/* The part of -device that every disk has, in which one %s stands for `ser`. Caller frees. */
char *disk_qemu_options(const struct disk *disk);

#endif
