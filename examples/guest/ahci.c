/*
 * AHCI controllers, as far as needed to read the signature that a device sends after a port reset.
 * The guest sends no command, so it reads no medium.  Section numbers: AHCI 1.3.1 specification.
 */
#include "ahci.h"
#include "pci.h"

enum {
	GHC = 0x04,
	PORTS_IMPLEMENTED = 0x0c,
	PORT_BASE = 0x100,
	PORT_STEP = 0x80,
};

enum {
	COMMAND_LIST = 0x00,
	COMMAND_LIST_HIGH = 0x04,
	RECEIVED = 0x08,
	RECEIVED_HIGH = 0x0c,
	COMMAND = 0x18,
	SIGNATURE = 0x24,
	SATA_STATUS = 0x28,
	SATA_CONTROL = 0x2c,
};

enum {
	COMMAND_SPIN_UP = 1 << 1,
	COMMAND_POWER_ON = 1 << 2,
	COMMAND_RECEIVE = 1 << 4,
	DETECT = 0x0f,
	DETECT_ONLINE = 3,
	CONTROL_RESET = 0x301, /* DET 1, no power-saving states */
	CONTROL_RUN = 0x300,
};

#define GHC_AHCI_ENABLE 0x80000000u
#define SIGNATURE_NONE 0xffffffffu
#define SIGNATURE_DISK 0x00000101u
#define SIGNATURE_CD 0xeb140101u

/* All ports share these: only one receives at a time, and the guest ignores the contents. */
static u8 command_list[1024] __attribute__((aligned(1024)));
static u8 received[4096] __attribute__((aligned(4096)));

/* bhyve assigns BARs itself; under QEMU the firmware does, and this guest is the firmware. */
u32 ahci_open(u32 fn)
{
	u32 registers = pci_read(fn, PCI_BAR5) & ~0xfu;

	if (registers == 0) {
		registers = pci_spare_memory(fn);
		pci_write(fn, PCI_BAR5, registers);
	}
	pci_enable(fn, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	mem_write(registers + GHC, mem_read(registers + GHC) | GHC_AHCI_ENABLE);
	return registers;
}

/* 10.1.2: give a port its memory and make it receive FISes before its link is reset. */
static void start_receiving(u32 port)
{
	mem_write(port + COMMAND_LIST, (u32)command_list);
	mem_write(port + COMMAND_LIST_HIGH, 0);
	mem_write(port + RECEIVED, (u32)received);
	mem_write(port + RECEIVED_HIGH, 0);
	mem_write(port + COMMAND,
	    mem_read(port + COMMAND) | COMMAND_RECEIVE | COMMAND_POWER_ON | COMMAND_SPIN_UP);
}

static void stop_receiving(u32 port)
{
	mem_write(port + COMMAND, mem_read(port + COMMAND) & ~(u32)COMMAND_RECEIVE);
}

/* 10.4.2 asks for 1 ms between the writes; an emulated link resets at once. */
static u32 reset_link(u32 port)
{
	u32 tries, signature = SIGNATURE_NONE;

	mem_write(port + SATA_CONTROL, CONTROL_RESET);
	mem_write(port + SATA_CONTROL, CONTROL_RUN);
	for (tries = 0; tries < 100000 && signature == SIGNATURE_NONE; tries++)
		signature = mem_read(port + SIGNATURE);
	return signature;
}

static enum ahci_device identify(u32 port)
{
	if ((mem_read(port + SATA_STATUS) & DETECT) != DETECT_ONLINE)
		return AHCI_NOTHING;
	switch (reset_link(port)) {
	case SIGNATURE_DISK:
		return AHCI_DISK;
	case SIGNATURE_CD:
		return AHCI_CD;
	default:
		return AHCI_OTHER;
	}
}

enum ahci_device ahci_look(u32 registers, u32 port)
{
	u32 base = registers + PORT_BASE + port * PORT_STEP;
	enum ahci_device device;

	if ((mem_read(registers + PORTS_IMPLEMENTED) & 1u << port) == 0)
		return AHCI_NOTHING;
	start_receiving(base);
	device = identify(base);
	stop_receiving(base);
	return device;
}
