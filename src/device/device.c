/* The list of device kinds, and what all devices have in common. */
#include "device/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/near.h"

#define MAX_DEVICE_ID 64

const struct device_kind *const device_kinds[] = {
	&device_virtio_blk,
	&device_ahci_hd,
	&device_ahci_cd,
	&device_ahci,
	&device_nvme,
	&device_virtio_net,
	&device_e1000,
	&device_virtio_console,
	&device_virtio_9p,
	&device_virtio_scsi,
	&device_virtio_rnd,
	&device_virtio_input,
	&device_uart,
	&device_hda,
	&device_fbuf,
	&device_xhci,
	&device_passthru,
	&device_raw,
	NULL,
};

const struct field device_common_fields[] = {
	ROW_ELSEWHERE("device", .required = true, .help = "kind of device"),
	ROW_STRING("id", struct device, id, .max_length = MAX_DEVICE_ID, .host.kind = HOST_NONE,
	    .help = "unique name; default DEVICE-N"),
	ROW_CUSTOM("slot", struct device, slot, slot_custom, .qemu = "arm64: bus 0",
	    .help = "PCI address; default: automatic"),
	ROW_BOOL("fix", struct device, fix, .quiet = true,
	    .help = "apply the fixes of failed checks without asking"),
	{ 0 },
};

const struct device_kind *device_kind_find(const char *name)
{
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		if (strcmp(device_kinds[i]->name, name) == 0)
			return device_kinds[i];
	}
	return NULL;
}

char *device_unknown(const char *name)
{
	struct near near = { .words = NEAR_DEVICE, .wanted = name };

	for (size_t i = 0; device_kinds[i] != NULL; i++)
		near_offer(&near, device_kinds[i]->name);
	MEM_AUTO char *hint = near_hint(&near);

	return mem_format("unknown device \"%s\"%s", name, hint);
}

/* Reports an entry without "device", and a key that another program has in its place. */
static void report_missing(const struct node *entry, const struct where *at, struct decoder *d)
{
	for (const struct node *n = entry->first; n != NULL; n = n->next) {
		struct near near = { .words = NEAR_FIELD, .wanted = n->key };
		struct where here = { at, n->key, 0 };

		near_offer(&near, "device");
		if (near.best == NULL)
			continue;
		MEM_AUTO char *hint = near_hint(&near);

		report_add(d->report, STATUS_SPEC, &here, "unknown key \"%s\"%s", n->key, hint);
		return;
	}
	report_add(d->report, STATUS_SPEC, at, "\"device\" is missing: the kind of device");
}

static const struct device_kind *kind_of(
    const struct node *entry, const struct where *at, struct decoder *d)
{
	struct where here = { at, "device", 0 };
	const struct node *name = node_get(entry, "device");
	const struct device_kind *kind;
	const char *text;

	if (name == NULL) {
		report_missing(entry, at, d);
		return NULL;
	}
	text = field_text(name, &here, d);
	if (text == NULL)
		return NULL;
	kind = device_kind_find(text);
	if (kind == NULL) {
		MEM_AUTO char *why = device_unknown(text);

		report_add(d->report, STATUS_SPEC, &here, "%s", why);
	}
	return kind;
}

/*
 * Reports an unknown key.  field_decode() cannot: the nearest key may be in either table.  The
 * kind's own keys come first, as "address" is the slot of a disk and the host of a screen; "device"
 * is there already.
 */
static void report_unknown(
    const struct device_kind *kind, const char *key, const struct where *at, struct decoder *d)
{
	struct near near = { .words = NEAR_FIELD, .wanted = key };
	struct where here = { at, key, 0 };

	for (const struct field *f = kind->fields; f->key != NULL; f++)
		near_offer(&near, f->key);
	for (const struct field *f = device_common_fields; f->key != NULL; f++) {
		if (strcmp(f->key, "device") != 0)
			near_offer(&near, f->key);
	}
	MEM_AUTO char *hint = near_hint(&near);

	report_add(d->report, STATUS_SPEC, &here, "unknown key \"%s\"%s", key, hint);
}

static void check_keys(const struct node *entry, const struct device_kind *kind,
    const struct where *at, struct decoder *d)
{
	for (const struct node *n = entry->first; n != NULL; n = n->next) {
		if (field_find(device_common_fields, n->key) == NULL &&
		    field_find(kind->fields, n->key) == NULL)
			report_unknown(kind, n->key, at, d);
	}
}

struct device *device_new(const struct device_kind *kind)
{
	struct device *dev = mem_zero(sizeof(*dev));

	dev->kind = kind;
	dev->config = mem_zero(kind->size);
	field_preset(device_common_fields, dev);
	field_preset(kind->fields, dev->config);
	return dev;
}

struct device *device_decode(const struct node *entry, const struct where *at, struct decoder *d)
{
	const struct device_kind *kind;
	struct device *dev;
	size_t before = d->report->count;

	if (!node_is_object(entry)) {
		field_type_error(entry, "an object: { \"device\": ... }", at, d);
		return NULL;
	}
	kind = kind_of(entry, at, d);
	if (kind == NULL)
		return NULL;
	dev = device_new(kind);
	check_keys(entry, kind, at, d);
	field_decode_own(device_common_fields, entry, dev, at, d);
	field_decode_own(kind->fields, entry, dev->config, at, d);
	dev->pinned = dev->slot.given;
	/* Rules across keys need values that are valid each. */
	if (kind->check != NULL && d->report->count == before)
		kind->check(dev, at, d);
	return dev;
}

const struct where *device_where(const struct device *dev, struct device_place *place)
{
	place->list = (struct where){ NULL, dev->origin != NULL ? dev->origin : "emulations", 0 };
	place->entry = (struct where){ &place->list, NULL, dev->index };
	return dev->origin != NULL ? &place->list : &place->entry;
}

char *device_label(const struct device *dev)
{
	return MEM_JOIN(dev->kind->name, " \"", dev->id, "\"");
}

void device_print(const struct device *dev, struct str *json)
{
	json_begin_object(json, NULL);
	json_add_text(json, "device", dev->kind->name);
	field_print(device_common_fields, dev, json);
	field_print(dev->kind->fields, dev->config, json);
	json_end_object(json);
}

void device_free(struct device *dev)
{
	if (dev == NULL)
		return;
	field_clear(dev->kind->fields, dev->config);
	free(dev->config);
	free(dev->id);
	free(dev->found);
	free(dev);
}

void device_free_at(struct device **dev)
{
	device_free(*dev);
}

void device_needs(const struct device *dev, struct needs *needs)
{
	if (!dev->removed && dev->kind->needs != NULL)
		dev->kind->needs(dev, needs);
}

/* --- for the files of devices --- */

const char *device_found(const struct device *dev)
{
	return dev->found != NULL ? dev->found : dev->kind->placeholder(dev);
}

int device_since(const struct bhyve_host *host, const char *key, int release, struct error *err)
{
	if (host->release >= release)
		return 0;
	return error_set(err, STATUS_SPEC, "\"%s\" needs FreeBSD %d", key, release);
}

int device_boot_order(const struct bhyve_host *host, struct error *err)
{
	if (host->loader)
		return error_set(err, STATUS_SPEC,
		    "\"bootindex\" needs firmware, but a loader starts this guest");
	if (host->arm64)
		return error_set(err, STATUS_SPEC,
		    "\"bootindex\": bhyve has this on amd64 only, where it has fw_cfg");
	return device_since(host, "bootindex", 14, err);
}
