/*
 * The buses above 0.  bhyve has each as a root of its own; qemu reaches one through a bridge, which
 * firmware numbers.  Facts: QEMU's docs/pcie_expander_bridge.txt and runs of QEMU 7.2 with SeaBIOS,
 * OVMF and Linux: bridges on one bus are numbered in the order of their slots, and a pxb-pcie adds
 * a root with a number of its own, so that buses without a device need no bridge.
 */
#include "device/qemu_words.h"
#include "hyper/qemu_plan.h"

#define MAX_BUSES 256
#define MAX_FUNCTIONS 8
#define BRIDGE_SLOT 31	   /* of bus 0: that of q35's LPC, which is at function 0 */
#define MAX_BRIDGE_SLOT 31 /* of a root */
#define SATA_FUNCTION 2

/* The bridges in the making. */
struct bridges {
	struct qemu_plan *b;
	bool used[MAX_BUSES];	   /* by devices */
	bool taken[MAX_FUNCTIONS]; /* functions of the slot that hold the bridges */
	int root;		   /* the bus of the last pxb-pcie; 0: none, bridges are on bus 0 */
};

static void look_at_devices(struct bridges *bridges)
{
	const struct spec *spec = bridges->b->spec;

	bridges->taken[0] = true;
	bridges->taken[SATA_FUNCTION] = bridges->b->user.has_sata;
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (dev->removed)
			continue;
		bridges->used[dev->slot.bus] = true;
		if (dev->slot.bus == 0 && dev->slot.slot == BRIDGE_SLOT)
			bridges->taken[dev->slot.function] = true;
	}
}

/* Takes the lowest free function of the slot; 0: none is free. */
static int take_function(struct bridges *bridges)
{
	for (int function = 1; function < MAX_FUNCTIONS; function++) {
		if (bridges->taken[function])
			continue;
		bridges->taken[function] = true;
		return function;
	}
	return 0;
}

/* Adds a root for buses from `bus` on.  Returns false if no function is left for it. */
static bool add_root(struct bridges *bridges, int bus)
{
	struct words *argv = bridges->b->argv;
	int function = take_function(bridges);

	if (function == 0)
		return false;
	bridges->root = bus - 1;
	qemu_begin(argv, "-device", "pxb-pcie");
	qemu_pairf(argv, "id", "root%d", bridges->root);
	qemu_pairf(argv, "bus_nr", "%d", bridges->root);
	qemu_pair(argv, "bus", "pcie.0");
	qemu_pairf(argv, "addr", "%x.%x", (unsigned)BRIDGE_SLOT, (unsigned)function);
	return true;
}

/* Adds the bridge to `bus`.  Returns false if no slot is left for it. */
static bool add_bridge(struct bridges *bridges, int bus)
{
	struct words *argv = bridges->b->argv;
	int slot = bridges->root > 0 ? bus - bridges->root - 1 : BRIDGE_SLOT;
	int function = bridges->root > 0 ? 0 : take_function(bridges);

	if (slot > MAX_BRIDGE_SLOT || (bridges->root == 0 && function == 0))
		return false;
	qemu_begin(argv, "-device", "pci-bridge");
	qemu_pairf(argv, "id", QEMU_BUS, bus);
	qemu_pair(argv, "shpc", "off"); /* else its bus has no slot 0 */
	qemu_pairf(argv, "chassis_nr", "%d", bus);
	if (bridges->root > 0)
		qemu_pairf(argv, "bus", "root%d", bridges->root);
	else
		qemu_pair(argv, "bus", "pcie.0");
	qemu_pairf(argv, "addr", "%x.%x", (unsigned)slot, (unsigned)function);
	return true;
}

void qemu_add_buses(struct qemu_plan *b)
{
	struct bridges bridges = { .b = b };

	if (!b->machine->is_pc)
		return;
	look_at_devices(&bridges);
	for (int bus = 1; bus < MAX_BUSES; bus++) {
		if (!bridges.used[bus])
			continue;
		/* Consecutive buses share a root; those from 1 on have the root of bus 0. */
		if (bus > 1 && !bridges.used[bus - 1] && !add_root(&bridges, bus))
			return;
		if (!add_bridge(&bridges, bus))
			return;
		if (b->last_bus == 0)
			words_add(&b->plan->notes,
			    "qemu reaches buses above 0 through bridges, which the guest lists at "
			    "slot 31");
		b->last_bus = bus;
	}
}
