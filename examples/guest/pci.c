/*
 * PCI configuration access (mechanism 1), and the firmware's work that the guest needs: numbers for
 * the buses behind bridges, and addresses for the BARs that it uses.
 */
#include "pci.h"

enum {
	CONFIG_ADDRESS = 0xcf8,
	CONFIG_DATA = 0xcfc,
	BRIDGE_BUSES = 0x18,
	BRIDGE_MEMORY = 0x20,
};

/* 1 MiB per bus; RAM ends below this, and bhyve's and QEMU's fixed devices are above. */
#define SPARE_MEMORY 0xd0000000u

static u32 next_bus;

u32 pci_read(u32 fn, u32 offset)
{
	out32(CONFIG_ADDRESS, fn | offset);
	return in32(CONFIG_DATA);
}

void pci_write(u32 fn, u32 offset, u32 value)
{
	out32(CONFIG_ADDRESS, fn | offset);
	out32(CONFIG_DATA, value);
}

/* Writes zeros to the upper half, the status register, where writing a one clears a bit. */
void pci_enable(u32 fn, u32 command_bits)
{
	pci_write(fn, PCI_COMMAND, (pci_read(fn, PCI_COMMAND) & 0xffff) | command_bits);
}

u32 pci_spare_memory(u32 fn)
{
	return SPARE_MEMORY | PCI_BUS(fn) << 20 | PCI_SLOT(fn) << 15 | PCI_FUNCTION(fn) << 12;
}

/*
 * Gives each bridge its bus numbers, in the order of discovery as other firmware does, and the
 * memory window of its bus.  A bridge behind a bridge gets no window of its own.  QEMU has further
 * buses only behind bridges; bhyve has no bridges, its further buses are peers of bus 0.
 */
static void set_up_bridge(u32 fn)
{
	u32 bus = PCI_BUS(fn), window;

	if (next_bus <= bus)
		next_bus = bus + 1;
	if (next_bus > 255)
		return;
	window = pci_spare_memory(PCI_FN(next_bus, 0, 0)) >> 16;
	pci_write(fn, BRIDGE_BUSES, next_bus << 16 | next_bus << 8 | bus);
	pci_write(fn, BRIDGE_MEMORY, window << 16 | window);
	pci_enable(fn, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	next_bus++;
}

/* Skips slots without function 0, which are empty by the PCI specification. */
static void walk_slot(u32 bus, u32 slot, void (*visit)(u32 fn))
{
	u32 count = 1, function, fn, id, header;

	for (function = 0; function < count; function++) {
		fn = PCI_FN(bus, slot, function);
		id = pci_read(fn, PCI_ID);
		if (id == 0xffffffffu || id == 0)
			continue;
		header = pci_read(fn, PCI_HEADER) >> 16;
		if (function == 0 && header & 0x80)
			count = 8;
		visit(fn);
		if ((header & 0x7f) == 1)
			set_up_bridge(fn);
	}
}

/*
 * Scans all 256 buses, because only ACPI tables list the peers of bus 0 and the guest reads none.
 */
void pci_walk(void (*visit)(u32 fn))
{
	u32 bus, slot;

	next_bus = 1;
	for (bus = 0; bus < 256; bus++)
		for (slot = 0; slot < 32; slot++)
			walk_slot(bus, slot, visit);
}
