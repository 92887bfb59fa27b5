/* The disks of a guest of vm-bhyve: vm::bhyve_device_disks and vm::get_disk_path. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/device.h"
#include "device/field.h"
#include "import/vm_bhyve_guest.h"

#define MAX_CONTROLLER_PORTS 32
#define PLACEHOLDER_DISK "/dev/da0" /* of an iSCSI disk, which only the host knows */

/* Drives that wait for the controller that they share. */
struct controller {
	int limit; /* drives of one controller; 1: each has its own */
	size_t count;
	struct node *ports;
	struct str raw; /* the same in bhyve's words, for what no key can say */
	bool is_raw;
};

/* Returns the path of a zvol, whose dataset vm-bhyve mounts at its own name by default. */
static char *zvol_path(struct guest *g, const char *name)
{
	guest_note(g,
	    "zvols: the paths begin with /dev/zvol%s, as if that were the name of the guest's "
	    "dataset; compare it with: zfs list -H -o name %s",
	    g->directory, g->directory);
	return mem_format("/dev/zvol%s/%s", g->directory, name);
}

char *guest_disk_path(struct guest *g, int number, const char *name)
{
	const char *kind = guest_get_numbered(g, "disk", number, "_dev");

	if (kind == NULL)
		kind = "file";
	if (strcmp(kind, "custom") == 0)
		return mem_copy(name);
	if (strcmp(kind, "zvol") == 0 || strcmp(kind, "sparse-zvol") == 0)
		return zvol_path(g, name);
	if (strcmp(kind, "iscsi") == 0) {
		guest_note(g,
		    "disk%d_name: %s stands for the device of the iSCSI target %s: replace it by "
		    "the one that iscsictl -L shows",
		    number, PLACEHOLDER_DISK, name);
		return mem_copy(PLACEHOLDER_DISK);
	}
	return mem_format("%s/%s", g->directory, name);
}

/* Puts "L" or "L/P" and returns whether it is that. */
static bool put_sector_size(struct node *disk, const char *value)
{
	MEM_AUTO char *logical = mem_copy_n(value, strcspn(value, "/"));
	const char *slash = strchr(value, '/');

	if (!guest_is_number(logical) || (slash != NULL && !guest_is_number(slash + 1)))
		return false;
	node_put(disk, "logical_sector_size", node_int(strtol(logical, NULL, 10)));
	if (slash != NULL)
		node_put(disk, "physical_sector_size", node_int(strtol(slash + 1, NULL, 10)));
	return true;
}

bool guest_put_option(struct node *disk, const char *kind, const char *option)
{
	const struct device_kind *known = device_kind_find(kind);
	MEM_AUTO char *key = mem_copy_n(option, strcspn(option, "="));
	const char *value = strchr(option, '=');
	const struct field *row = field_find(known->fields, key);

	if (value != NULL && strcmp(key, "sectorsize") == 0)
		return node_get(disk, "logical_sector_size") == NULL &&
		    put_sector_size(disk, value + 1);
	if (row == NULL || node_get(disk, key) != NULL || strcmp(key, "format") == 0)
		return false;
	if (row->type == FIELD_BOOL) {
		if (value != NULL && strcmp(value, "=true") != 0)
			return false;
		guest_put_flag(disk, key, true);
		return true;
	}
	if (value == NULL || value[1] == '\0')
		return false;
	if (row->type != FIELD_STRING && guest_is_number(value + 1))
		node_put(disk, key, node_int(strtoll(value + 1, NULL, 10)));
	else
		guest_put_text(disk, key, value + 1);
	return true;
}

/*
 * Puts the path and the options, as bhyve reads PATH[,OPTION]...; returns false if one of them has
 * no key in the spec.
 */
static bool put_disk(struct node *disk, const char *kind, const char *text)
{
	const char *rest = text, *ram;
	MEM_AUTO char *path = guest_piece(&rest);
	bool good = true;

	ram = str_after(path, "ram=");
	if (strcmp(kind, "nvme") == 0 && ram != NULL && guest_is_number(ram))
		node_put(disk, "ram", node_int(strtol(ram, NULL, 10)));
	else
		guest_put_text(disk, "path", path);
	while (rest != NULL) {
		MEM_AUTO char *option = guest_piece(&rest);

		good = good && guest_put_option(disk, kind, option);
	}
	return good;
}

/* Returns whether the values of a device are those that the spec takes. */
static bool is_valid(const struct node *device)
{
	REPORT_AUTO struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/" };

	device_free(device_decode(device, NULL, &d));
	return report.count == 0;
}

/* Adds the device (taken), or a raw one with bhyve's words for it if the spec cannot have it. */
static void add_or_raw(struct guest *g, struct node *device, bool has_keys, const char *words)
{
	if (has_keys && is_valid(device)) {
		guest_put_device(g, device, &g->next);
		return;
	}
	node_free(device);
	guest_put_text(guest_add_device(g, "raw", NULL, &g->next), "value", words);
}

/* Adds a disk with a slot of its own. */
static void add_disk(struct guest *g, const char *kind, const char *text)
{
	struct node *disk = node_new(NODE_OBJECT);
	MEM_AUTO char *words = mem_format("%s,%s", kind, text);
	bool is_disk = strcmp(kind, "virtio-blk") == 0 || strcmp(kind, "ahci-hd") == 0 ||
	    strcmp(kind, "ahci-cd") == 0 || strcmp(kind, "nvme") == 0;

	guest_put_text(disk, "device", kind);
	add_or_raw(g, disk, is_disk && put_disk(disk, kind, text), words);
}

/* Adds the controller with the drives that have gathered. */
static void flush_controller(struct guest *g, struct controller *c)
{
	struct node *controller = node_new(NODE_OBJECT);

	guest_put_text(controller, "device", "ahci");
	node_put(controller, "ports", c->ports);
	add_or_raw(g, controller, !c->is_raw, c->raw.text);
	str_free(&c->raw);
	c->ports = NULL;
	c->count = 0;
	c->is_raw = false;
}

/* Adds a drive to the shared controller and returns whether that is full, and has been added. */
static bool gather(struct guest *g, struct controller *c, const char *kind, const char *text)
{
	struct node *port = node_new(NODE_OBJECT);

	if (c->ports == NULL) {
		c->ports = node_new(NODE_LIST);
		str_add(&c->raw, "ahci");
	}
	str_addf(&c->raw, ",%s:%s", kind + strlen("ahci-"), text);
	guest_put_text(port, "type", kind + strlen("ahci-"));
	if (!put_disk(port, kind, text))
		c->is_raw = true;
	node_append(c->ports, port);
	if (++c->count < (size_t)c->limit)
		return false;
	flush_controller(g, c);
	return true;
}

/* Returns whether vm-bhyve lets a type of disk share a controller. */
static bool is_drive(const char *kind)
{
	return strcmp(kind, "ahci-hd") == 0 || strcmp(kind, "ahci-cd") == 0;
}

/* Adds one disk and moves on: with firmware to the next slot, else to the next function. */
static void place_disk(struct guest *g, struct controller *c, const char *kind, const char *text)
{
	bool added = true;

	if (g->next.function >= 8) {
		g->next.function = 0;
		g->next.slot++;
	}
	guest_wrap_slot(g);
	if (c->limit > 1 && is_drive(kind))
		added = gather(g, c, kind, text);
	else
		add_disk(g, kind, text);
	if (added && g->has_firmware)
		g->next.slot++;
	else if (added)
		g->next.function++;
	guest_wrap_slot(g);
}

/* Adds the drives that do not fill a controller: always on bus 0, after all other disks. */
static void add_leftovers(struct guest *g, struct controller *c)
{
	int bus = g->next.bus;

	if (c->count == 0)
		return;
	g->next.bus = 0;
	flush_controller(g, c);
	g->next.bus = bus;
	if (g->has_firmware)
		g->next.slot++;
}

static int controller_limit(struct guest *g)
{
	const char *limit = guest_get_or(g, "ahci_device_limit", "1");
	long number = guest_is_number(limit) ? strtol(limit, NULL, 10) : 1;

	if (number > 1 && number <= MAX_CONTROLLER_PORTS)
		return (int)number;
	if (*limit != '\0' && strcmp(limit, "1") != 0)
		guest_note(g,
		    "ahci_device_limit: vm-bhyve ignores \"%s\", which is not 2 to %d; each drive "
		    "has its own controller",
		    limit, MAX_CONTROLLER_PORTS);
	return 1;
}

/* Adds disk N and returns true; false where the numbering stops. */
static bool add_numbered(struct guest *g, struct controller *c, int n)
{
	MEM_AUTO char *key = mem_format("disk%d_type", n), *path = NULL, *text = NULL;
	const char *name, *kind, *options;

	if (!guest_has_numbered(g, "disk", n, "_name") ||
	    !guest_has_numbered(g, "disk", n, "_type"))
		return false;
	name = guest_numbered_word(g, "disk", n, "_name");
	kind = guest_numbered_word(g, "disk", n, "_type");
	options = guest_numbered_word(g, "disk", n, "_opts");
	path = guest_disk_path(g, n, name);
	text = options == NULL || *options == '\0' ? mem_copy(path)
						   : mem_format("%s,%s", path, options);
	if (device_kind_find(kind) == NULL || strcmp(kind, "raw") == 0) {
		guest_fault(g, key,
		    "invalid type \"%s\": expected virtio-blk, ahci-hd, ahci-cd or nvme", kind);
		return true;
	}
	if (strcmp(kind, "ahci-cd") == 0)
		g->cds++;
	place_disk(g, c, kind, text);
	return true;
}

void guest_add_disks(struct guest *g)
{
	struct controller c = { .limit = controller_limit(g) };
	int count = 0;

	while (add_numbered(g, &c, count))
		count++;
	add_leftovers(g, &c);
	if (count > 0 && !g->has_firmware) {
		g->next.slot++;
		g->next.function = 0;
	}
	guest_wrap_slot(g);
}
