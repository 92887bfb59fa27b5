/* The devices of a spec, at the slots of q35 and virt.  Facts: runs of QEMU 7.2. */
#include <string.h>

#include "base/mem.h"
#include "device/qemu_words.h"
#include "device/serial.h"
#include "hyper/qemu_plan.h"

/* Slots of bus 0 that belong to the machine: virt has no lpc. */
enum { HOST_SLOT = 0, Q35_LPC_SLOT = 31 };

/* Reports a device that qemu cannot have. */
static void refuse(
    struct qemu_plan *b, const struct device *dev, const struct where *at, const char *reason)
{
	char slot[SLOT_TEXT];

	report_add(b->report, STATUS_SPEC, at, "qemu: %s at %s: %s", dev->kind->name,
	    slot_text(&dev->slot, slot), reason);
}

void qemu_check_bridges(struct qemu_plan *b)
{
	const struct spec *s = b->spec;
	static const struct slot host = { true, 0, HOST_SLOT, 0 },
				 lpc = { true, 0, Q35_LPC_SLOT, 0 };

	if (!b->machine->is_pc && spec_gives(s, "lpc_slot") && s->lpc_slot.given)
		words_add(&b->plan->notes, "lpc_slot is for amd64: an arm64 guest has no lpc");
	if (b->machine->is_pc && !slot_equal(&s->lpc_slot, &lpc))
		words_add(
		    &b->plan->notes, "lpc_slot is bhyve's: under qemu the lpc of q35 is at 0:31:0");
	if (s->hostbridge != HOSTBRIDGE_NONE && !slot_equal(&s->hostbridge_slot, &host))
		words_addf(&b->plan->notes,
		    "hostbridge_slot is bhyve's: under qemu the host bridge of %s is at 0:0:0",
		    b->machine->name);
	if (s->hostbridge == HOSTBRIDGE_AMD)
		words_addf(&b->plan->notes, "qemu's host bridge is %s: amd_hostbridge is ignored",
		    b->machine->is_pc ? "Intel's" : "its own");
	if (s->hostbridge == HOSTBRIDGE_NONE)
		words_add(&b->plan->notes, "qemu always has a host bridge");
}

/* Returns whether the device is function 0 of a slot with others, which it must announce. */
static bool is_multifunction(const struct spec *spec, const struct device *zero)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (dev != zero && !dev->removed && dev->slot.bus == zero->slot.bus &&
		    dev->slot.slot == zero->slot.slot)
			return zero->slot.function == 0;
	}
	return false;
}

static void take_secret(struct qemu_plan *b, const struct device *dev)
{
	struct device_secret secret;

	if (dev->kind->secret != NULL && dev->kind->secret(dev, &secret))
		hyper_plan_secret(b->request, &secret, NULL, b->plan);
}

/* Returns whether bhyve's lpc would be function 0 of the slot, where qemu has no lpc. */
static bool is_beside_lpc(const struct qemu_plan *b, const struct slot *slot)
{
	const struct slot *lpc = &b->spec->lpc_slot;

	return spec_has_lpc(b->spec) && lpc->slot != Q35_LPC_SLOT && slot->bus == lpc->bus &&
	    slot->slot == lpc->slot;
}

static bool is_of_machine(const struct qemu_plan *b, const struct slot *slot)
{
	if (slot->bus != 0)
		return false;
	return slot->slot == HOST_SLOT ||
	    (b->machine->is_pc && slot->slot == Q35_LPC_SLOT && slot->function == 0);
}

static void add_device(struct qemu_plan *b, const struct device *dev, const struct where *at)
{
	MEM_AUTO char *secrets = hyper_secret_path(b->request);
	struct qemu_build q = { .argv = b->argv,
		.notes = &b->plan->notes,
		.secrets = secrets,
		.is_pc = b->machine->is_pc,
		.dry = b->request->dry };
	struct error err = { 0 };

	if (dev->slot.bus > b->last_bus) {
		refuse(b, dev, at,
		    b->machine->is_pc ? "no slot is left for the bridge to this bus: use bus 0"
				      : "vmrun places devices on bus 0 only under qemu for arm64: "
					"use a slot of bus 0");
		return;
	}
	if (is_of_machine(b, &dev->slot)) {
		refuse(b, dev, at,
		    b->machine->is_pc
			? "0:0 and 0:31:0 belong to the bridges of q35: use another slot"
			: "0:0 belongs to the bridge of virt: use another slot");
		return;
	}
	if (is_beside_lpc(b, &dev->slot)) {
		refuse(b, dev, at,
		    "function 0 of this slot is the lpc under bhyve only, and without one a guest "
		    "does not see the others: use another slot");
		return;
	}
	q.multifunction = is_multifunction(b->spec, dev);
	if (dev->kind->qemu(dev, &q, &err) != 0) {
		refuse(b, dev, at, err.text);
		error_clear(&err);
	}
	b->plan->waits_for_vnc = b->plan->waits_for_vnc || q.waits;
	take_secret(b, dev);
}

void qemu_add_devices(struct qemu_plan *b)
{
	for (size_t i = 0; i < b->spec->device_count; i++) {
		const struct device *dev = b->spec->devices[i];
		struct device_place place;

		if (!dev->removed)
			add_device(b, dev, device_where(dev, &place));
	}
}

void qemu_add_serial(struct qemu_plan *b)
{
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		const char *com = spec_com(b->spec, i);
		MEM_AUTO char *id = mem_format("com%zu", i + 1);

		if (com == NULL)
			continue;
		if (!b->machine->is_pc && i > 0) {
			struct where at = { NULL, spec_com_key(i), 0 };

			report_add(b->report, STATUS_SPEC, &at,
			    "qemu: an arm64 guest has one serial port, com1");
			continue;
		}
		serial_qemu(com, id, b->argv, &b->plan->notes);
		if (!b->machine->is_pc) {
			words_add(b->argv, "-serial");
			words_addf(b->argv, "chardev:%s", id);
			continue;
		}
		qemu_begin(b->argv, "-device", "isa-serial");
		qemu_pairf(b->argv, "index", "%zu", i);
		qemu_pair(b->argv, "chardev", id);
	}
}
