/* PCI configuration space, and a walk over all present functions. */
#ifndef GUEST_PCI_H
#define GUEST_PCI_H

#include "io.h"

/* The word at port 0xCF8 that selects a function identifies it. */
#define PCI_FN(bus, slot, function) (0x80000000u | (bus) << 16 | (slot) << 11 | (function) << 8)
#define PCI_BUS(fn) ((fn) >> 16 & 0xff)
#define PCI_SLOT(fn) ((fn) >> 11 & 0x1f)
#define PCI_FUNCTION(fn) ((fn) >> 8 & 7)

enum {
	PCI_ID = 0x00,
	PCI_COMMAND = 0x04,
	PCI_CLASS = 0x08,
	PCI_HEADER = 0x0c,
	PCI_BAR5 = 0x24,
};

enum {
	PCI_COMMAND_IO = 1 << 0,
	PCI_COMMAND_MEMORY = 1 << 1,
	PCI_COMMAND_MASTER = 1 << 2,
};

u32 pci_read(u32 fn, u32 offset);
void pci_write(u32 fn, u32 offset, u32 value);
void pci_enable(u32 fn, u32 command_bits);

/* The device memory for a function whose BAR is unset: 4 KiB. */
u32 pci_spare_memory(u32 fn);

/* Calls visit for each function, in the order of bus, slot and function. */
void pci_walk(void (*visit)(u32 fn));

#endif
