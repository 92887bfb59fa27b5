/*
 * Devices of `emulations`.  A kind of device is one row: its keys, its rules and how each
 * hypervisor is told about it.  A family of kinds is one file; device.c lists them.
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/pairs.h"
#include "base/words.h"
#include "device/field.h"
#include "device/needs.h"
#include "device/slot.h"

struct device;

/* Kinds of things that a device can claim, as messages call them (see device_kind.claims). */
#define CLAIM_BOOT_INDEX "boot index"
#define CLAIM_MAC "MAC address"
#define CLAIM_PORT_NAME "port name"
#define CLAIM_STDIO "serial port"

/* What a bhyve can do depends on where it runs. */
struct bhyve_host {
	int release; /* 13, 14, 15, ... */
	bool arm64;
	bool loader;	     /* a loader starts the guest, no firmware */
	struct words *notes; /* what the user should know of a device, a line each */
};

/*
 * How bhyve's `-s B:S:F,MODEL[,CONF]` can say what the variables of a device say.  CONF is the
 * value of `first`, or those of `joined` with slashes between them, then key=value of the rest with
 * `prefix` left out; with `named` it is NAME=PATH of each pair of variables, and of an odd one its
 * key; with `values` just the values; with `ports` TYPE:PATH and key=value of each port; with
 * `whole` the value of the one variable there is, commas and all.  A device that CONF cannot
 * express is said in variables.
 */
struct bhyve_form {
	const char *model;
	const char *first;  /* this variable comes first, without its name; NULL: none does */
	const char *prefix; /* left out before every other variable */
	const char *const *joined; /* NULL-terminated list of keys, or NULL */
	bool named, values, ports, whole;
	/* Variables that the model name implies: they are set, and not repeated in CONF. */
	const char *const *implied; /* NULL-terminated list of keys, or NULL */
};

/* Where qemu devices put their words (qemu_words.h). */
struct qemu_build {
	struct words *argv;
	struct words *notes;
	bool multifunction;  /* it is function 0 of a slot with others */
	const char *secrets; /* path of the file that will hold the device's secret */
	bool waits;	     /* set by a device: the guest starts when a VNC client has come */
};

/* A value that must not stand in a command: its variable below pci.B.S.F, and it or its file. */
struct device_secret {
	const char *variable, *text, *file;
};

struct device_kind {
	const char *name;
	const char *help;
	bool single;	 /* a VM can have one of them */
	bool amd64_only; /* bhyve has it on amd64 only */
	bool wired;	 /* the guest's memory must stay where it is: the device reads it */
	size_t size;	 /* of the struct behind device->config */
	const struct field *fields;
	/* Rules across keys; the device is decoded, its slot is not known yet. */
	void (*check)(const struct device *dev, const struct where *at, struct decoder *d);
	/* Fills in what depends on the slot and the VM's name. */
	void (*complete)(struct device *dev, const char *vm_name);
	const struct bhyve_form *form;
	/* Variables below pci.B.S.F, `device` first.  -1 with the reason when bhyve cannot. */
	int (*bhyve)(const struct device *dev, const struct bhyve_host *host, struct pairs *vars,
	    struct error *err);
	/* Words for qemu.  -1 with the reason when qemu cannot. */
	int (*qemu)(const struct device *dev, struct qemu_build *q, struct error *err);
	/* Text after `-s SLOT,` given by the user, unchecked (the raw device); else NULL. */
	const char *(*verbatim)(const struct device *dev);
	/* Adds what no other device of the VM can have too: "boot index" = "1". */
	void (*claims)(const struct device *dev, struct pairs *claims);
	/* Adds what it needs of the host. */
	void (*needs)(const struct device *dev, struct needs *needs);
	/*
	 * What stands in a command for something that only a run can know ("tapAUTO") and that
	 * device->found replaces then; NULL when this device leaves nothing open.
	 */
	const char *(*placeholder)(const struct device *dev);
	/* False when there is none. */
	bool (*secret)(const struct device *dev, struct device_secret *secret);
	/* The VM has booted before: drops what holds for the first boot only. */
	void (*forget_first)(struct device *dev);
};

/* The struct behind device->config, and the rows that describe it. */
#define DEVICE_CONFIG(type, table) \
	.size = sizeof(type), .fields = _Generic((type *)0, table##_value * : (table))

struct device {
	const struct device_kind *kind;
	char *id;	  /* always set: `DEVICE-N` when the spec gives none */
	struct slot slot; /* given: pinned by the spec, or assigned */
	bool pinned;
	bool removed;	    /* by a target: it keeps its slot empty */
	bool fix;	    /* mend what a check finds without asking */
	size_t index;	    /* in `emulations` of the merged document */
	const char *origin; /* NULL, or the key of the spec that it was made of: "graphic" */
	char *found;	    /* by a run: what stands for kind->placeholder(), or NULL */
	void *config;
};

/* Where the user wrote it: "emulations[3]", or the key that it was made of. */
struct device_place {
	struct where list, entry;
};

const struct where *device_where(const struct device *dev, struct device_place *place);

/* All kinds, NULL-terminated. */
extern const struct device_kind *const device_kinds[];

const struct device_kind *device_kind_find(const char *name);
/* Decodes one entry; NULL (with the reason reported) when its kind is not known. */
struct device *device_decode(const struct node *entry, const struct where *at, struct decoder *d);
/* A device with its kind's defaults; id and slot are the caller's to set. */
struct device *device_new(const struct device_kind *kind);
/* What stands for the open part of it: found by a run, or the placeholder. */
const char *device_found(const struct device *dev);
/* -1 with the reason when this bhyve is older than what the key needs. */
int device_since(const struct bhyve_host *host, const char *key, int release, struct error *err);
/* Likewise of "bootindex", which reaches guests by fw_cfg alone: amd64 has that, since 14. */
int device_boot_order(const struct bhyve_host *host, struct error *err);
/* `virtio-blk "virtio-blk-0"`, for messages. Caller frees. */
char *device_label(const struct device *dev);
void device_print(const struct device *dev, struct str *json);
void device_free(struct device *dev);
/* For the cleanup attribute: frees the device that a variable points to. */
void device_free_at(struct device **dev);
#define DEVICE_AUTO __attribute__((cleanup(device_free_at)))
/* Adds what the device needs of the host; nothing when a target removes it. */
void device_needs(const struct device *dev, struct needs *needs);

/* The kinds, by family. */
extern const struct device_kind device_virtio_blk;
extern const struct device_kind device_ahci_hd, device_ahci_cd, device_ahci;
extern const struct device_kind device_nvme;
extern const struct device_kind device_virtio_net, device_e1000;
extern const struct device_kind device_virtio_console;
extern const struct device_kind device_virtio_9p, device_virtio_scsi;
extern const struct device_kind device_virtio_rnd, device_virtio_input;
extern const struct device_kind device_uart;
extern const struct device_kind device_hda;
extern const struct device_kind device_fbuf, device_xhci;
extern const struct device_kind device_passthru;
extern const struct device_kind device_raw;

/* The keys that every device has. */
DESCRIBES(device_common_fields, struct device);
extern const struct field device_common_fields[];

#endif
