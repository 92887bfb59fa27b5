/*
 * Devices of `emulations`.  A kind of device is one row: its keys, its rules and how it is written
 * for each hypervisor.  Each file has one family of kinds; device.c lists them all.
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

/* The host that a bhyve command is made for: the features of bhyve depend on it. */
struct bhyve_host {
	int release; /* 13, 14, 15, ... */
	bool arm64;
	bool loader;	     /* a loader starts the guest instead of firmware */
	struct words *notes; /* notes for the user about devices, one line each */
};

/*
 * How bhyve's `-s B:S:F,MODEL[,CONF]` expresses the variables of a device, for the writer
 * (hyper/bhyve_words.h) and for the import.  By default CONF is the value of `first`, or the values
 * of `joined` with slashes between them, then key=value of the other variables without `prefix`.
 * With `named` it is NAME=PATH for each pair of variables, and the key alone of an odd one; with
 * `values` only the values; with `ports` TYPE:PATH and key=value for each port; with `whole` the
 * value of the only variable, including commas.  A device that CONF cannot express is written as
 * variables.  A `#` in a variable's name stands for the number of the entry.
 */
struct bhyve_form {
	const char *model;
	const char *first;	   /* this variable comes first, without its name; may be NULL */
	const char *instead;	   /* a variable that may come first, with its name; or NULL */
	const char *prefix;	   /* left out before every other variable */
	const char *const *joined; /* NULL-terminated list of keys, or NULL */
	const char *const *named;  /* the variables of NAME and of PATH, or NULL */
	const char *values;	   /* the variable of each value, or NULL */
	int from;		   /* the number of the first entry of `named` and `values` */
	bool ports, whole;
	/* Variables that the model's name implies: bhyve sets them, so CONF leaves them out. */
	const char *const *implied; /* NULL-terminated list of keys and values, or NULL */
};

/* Where devices add their qemu options (qemu_words.h). */
struct qemu_build {
	struct words *argv;
	struct words *notes;
	bool is_pc;	     /* the machine has I/O ports and VGA */
	bool multifunction;  /* the device is function 0 of a slot with other functions */
	const char *secrets; /* path of the file that will hold the device's secret */
	bool dry;	     /* nothing of the host may be asked */
	bool waits;	     /* set by a device: the guest starts when a VNC client connects */
};

/*
 * A value that must not appear in a command: its variable below pci.B.S.F, and the value or its
 * file.
 */
struct device_secret {
	const char *variable, *text, *file;
};

struct device_kind {
	const char *name;
	const char *help;
	bool single;	    /* a VM can have one of them */
	bool amd64_only;    /* bhyve has it on amd64 only */
	bool no_boot_order; /* bhyve ignores its boot index */
	bool wired;	    /* the guest's memory must be wired, because the device accesses it */
	size_t size;	    /* of the struct behind device->config */
	const struct field *fields;
	/* Checks the rules across keys.  The device is decoded, its slot is not assigned yet. */
	void (*check)(const struct device *dev, const struct where *at, struct decoder *d);
	/* Fills in what depends on the slot and the VM's name. */
	void (*complete)(struct device *dev, const char *vm_name);
	const struct bhyve_form *form;
	/*
	 * Adds the variables below pci.B.S.F, `device` first.  Fails with the reason if bhyve
	 * cannot have the device.
	 */
	int (*bhyve)(const struct device *dev, const struct bhyve_host *host, struct pairs *vars,
	    struct error *err);
	/*
	 * Reads what the rows alone do not find in the variables below pci.B.S.F, for an import:
	 * adds keys to the entry of
	 * `emulations`, and makes relative paths absolute.  Returns false if another kind with the
	 * same `device` variable has to read them.  NULL: the rows find all.
	 */
	bool (*read)(const struct pairs *vars, const char *directory, struct node *entry);
	/* Adds the options for qemu.  Fails with the reason if qemu cannot have the device. */
	int (*qemu)(const struct device *dev, struct qemu_build *q, struct error *err);
	/*
	 * Returns the unchecked text that the user gives for `-s SLOT,` (the raw device).  NULL for
	 * other kinds.
	 */
	const char *(*verbatim)(const struct device *dev);
	/* Adds what no other device of the VM may have: "boot index" = "1". */
	void (*claims)(const struct device *dev, struct pairs *claims);
	/* Adds what the device needs of the host. */
	void (*needs)(const struct device *dev, struct needs *needs);
	/*
	 * Returns the text that a dry run shows for a value that only a run can find ("tapAUTO"),
	 * and that device->found replaces then.  NULL if the device leaves nothing open.
	 */
	const char *(*placeholder)(const struct device *dev);
	/* Fills in the secret of the device.  False if it has none. */
	bool (*secret)(const struct device *dev, struct device_secret *secret);
	/* Drops the settings that hold for the first boot only. */
	void (*forget_first)(struct device *dev);
};

/* The struct behind device->config, and the rows that describe it. */
#define DEVICE_CONFIG(type, table) \
	.size = sizeof(type), .fields = _Generic((type *)0, table##_value * : (table))

struct device {
	const struct device_kind *kind;
	char *id;	  /* always set: `DEVICE-N` if the spec gives none */
	struct slot slot; /* given: pinned by the spec, or assigned */
	bool pinned;
	bool removed;	    /* removed by a target, which leaves its slot empty */
	bool fix;	    /* run the fixes of checks without asking */
	size_t index;	    /* place in `emulations` of the merged document */
	const char *origin; /* the key of the spec that it was made from, "graphic", or NULL */
	char *found;	    /* the value that a run found for kind->placeholder(), or NULL */
	void *config;
};

/* The place of a device in the document: "emulations[3]", or the key that it was made from. */
struct device_place {
	struct where list, entry;
};

/* Returns the place of the device; `place` holds its parts. */
const struct where *device_where(const struct device *dev, struct device_place *place);

/* All kinds, NULL-terminated. */
extern const struct device_kind *const device_kinds[];

/* Returns the kind of this name, or NULL. */
const struct device_kind *device_kind_find(const char *name);
/* Returns the message for a name of no kind, with the kind that it may mean.  Caller frees. */
char *device_unknown(const char *name);
/* Decodes one entry.  Returns NULL, with the reason reported, if its kind is unknown. */
struct device *device_decode(const struct node *entry, const struct where *at, struct decoder *d);
/* Returns a device with the presets of its kind.  The caller sets id and slot. */
struct device *device_new(const struct device_kind *kind);
/* Returns the value that a run found, or the placeholder. */
const char *device_found(const struct device *dev);
/* Fails with the reason if this bhyve is older than the release that the key needs. */
int device_since(const struct bhyve_host *host, const char *key, int release, struct error *err);
/*
 * Fails likewise for "bootindex", which guests learn from fw_cfg only: amd64 has fw_cfg since 14.
 */
int device_boot_order(const struct bhyve_host *host, struct error *err);
/* Returns `virtio-blk "virtio-blk-0"`, for messages.  Caller frees. */
char *device_label(const struct device *dev);
/* Adds the device as a JSON object. */
void device_print(const struct device *dev, struct str *json);
void device_free(struct device *dev);
/* Frees the device that a variable points to, for the cleanup attribute. */
void device_free_at(struct device **dev);
#define DEVICE_AUTO __attribute__((cleanup(device_free_at)))
/* Adds what the device needs of the host, unless a target removes the device. */
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
