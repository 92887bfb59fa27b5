/*
 * The ways to end the machine: ACPI's PM1 registers, the reset ports and faults of the CPU.
 * After power_init() the PM1 registers are at the same ports on bhyve and under QEMU.
 */
#include "power.h"
#include "clock.h"
#include "console.h"
#include "pci.h"

/* bhyve: acpi.h.  Only 16-bit accesses, because bhyve accepts no others (pm.c). */
enum {
	PM_BASE = 0x400,
	PM1_STATUS = PM_BASE,
	PM1_ENABLE = PM_BASE + 2,
	PM1_CONTROL = PM_BASE + 4,
	PM1_BUTTON = 1 << 8,
	PM1_SLEEP_ENABLE = 1 << 13,
	PM1_SLEEP_TYPE_SHIFT = 10,
};

enum {
	RESET_CONTROL = 0xcf9,
	KEYBOARD = 0x64,
	KEYBOARD_BUSY = 0x02,
	KEYBOARD_RESET = 0xfe,
	SMI_COMMAND = 0xb2,
	SMI_ACPI_ON_BHYVE = 0xa0,
};

enum {
	ICH9_PM_BASE = 0x40,
	ICH9_ACPI_CONTROL = 0x44,
	PIIX4_PM_BASE = 0x40,
	PIIX4_PM_ENABLE = 0x80,
};

#define ICH9_LPC_ID 0x29188086u
#define PIIX4_PM_ID 0x71138086u

/* An address without RAM, BAR or fixed device, on bhyve and under QEMU. */
#define VOID_ADDRESS 0xf4000000u

#define LAPIC_COMMAND 0xfee00300u
#define IPI_INIT_OTHERS 0xc4500u
#define IPI_STARTUP_OTHERS 0xc4600u

static bool on_bhyve;

/* A start-up interrupt names a 4 KiB page below 1 MiB; the CPU runs it in real mode. */
static u8 halt_page[4096] __attribute__((aligned(4096)));

/*
 * Places the PM registers, which QEMU leaves to the firmware: in the LPC bridge of q35, in function
 * 3 of the ISA bridge of pc.  bhyve's are fixed.
 */
void power_init(void)
{
	u32 ich9 = PCI_FN(0u, 31u, 0u), piix4 = PCI_FN(0u, 1u, 3u);

	on_bhyve = 0;
	if (pci_read(ich9, PCI_ID) == ICH9_LPC_ID) {
		pci_write(ich9, ICH9_PM_BASE, PM_BASE | 1);
		pci_write(ich9, ICH9_ACPI_CONTROL, 0x80);
	} else if (pci_read(piix4, PCI_ID) == PIIX4_PM_ID) {
		pci_write(piix4, PIIX4_PM_BASE, PM_BASE | 1);
		pci_write(piix4, PIIX4_PM_ENABLE, pci_read(piix4, PIIX4_PM_ENABLE) | 1);
		pci_enable(piix4, PCI_COMMAND_IO);
	} else {
		on_bhyve = 1;
	}
}

/* Waits for the hypervisor to stop the machine before the guest tries the next way. */
static void wait_for_the_end(void)
{
	clock_wait(5 * CLOCK_TICKS_PER_TENTH);
}

static void sleep_type(u16 type)
{
	out16(PM1_CONTROL, (u16)(type << PM1_SLEEP_TYPE_SHIFT | PM1_SLEEP_ENABLE));
}

/* The platform chooses the value for S5 (ACPI 7.4.2): bhyve and QEMU ignore each other's. */
void power_off(void)
{
	sleep_type(5); /* bhyve: pm.c */
	sleep_type(0); /* QEMU: hw/acpi/core.c */
	wait_for_the_end();
	console_line("power off did nothing");
}

void power_reset_keyboard(void)
{
	u32 tries;

	for (tries = 0; tries < 100000; tries++)
		if ((in8(KEYBOARD) & KEYBOARD_BUSY) == 0)
			break;
	out8(KEYBOARD, KEYBOARD_RESET);
	wait_for_the_end();
	console_line("the keyboard controller did nothing");
}

/* Writes 0 first, because bit 2 resets when it goes from 0 to 1. */
void power_reset(void)
{
	out8(RESET_CONTROL, 0x02);
	out8(RESET_CONTROL, 0x06);
	wait_for_the_end();
	console_line("port 0xcf9 did nothing");
	power_reset_keyboard();
	power_triple_fault();
}

/* Raises an exception without a gate for it or for the double fault that follows. */
void power_triple_fault(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) none = { 0, 0 };

	for (;;)
		__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

/*
 * Starts all other CPUs and halts them, too.  For bhyve a machine is halted when every active CPU
 * is in hlt with interrupts off (vm_handle_hlt in vmm.c), and its newer versions count CPUs that
 * were never started as active.  On a machine with one CPU these interrupts have no effect.
 */
static void halt_others(void)
{
	static const u8 code[] = { 0xfa, 0xf4, 0xeb, 0xfc }; /* cli; hlt; jmp back to the cli */
	u32 i;

	for (i = 0; i < sizeof(code); i++)
		halt_page[i] = code[i];
	mem_write(LAPIC_COMMAND, IPI_INIT_OTHERS);
	clock_wait(2);
	mem_write(LAPIC_COMMAND, IPI_STARTUP_OTHERS | (u32)halt_page >> 12);
}

void power_halt(void)
{
	halt_others();
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* bhyve and KVM exit at this jump; QEMU's TCG reads zeros there and executes them without end. */
void power_run_void(void)
{
	((void (*)(void))VOID_ADDRESS)();
	for (;;)
		clock_idle();
}

/*
 * Enables the button, because QEMU presses it only then (acpi_pm1_evt_power_down), and ACPI,
 * because without it SIGTERM kills bhyve instead of pressing the button (smi_cmd_handler in pm.c).
 */
void power_button_arm(void)
{
	out16(PM1_STATUS, PM1_BUTTON);
	out16(PM1_ENABLE, PM1_BUTTON);
	if (on_bhyve)
		out8(SMI_COMMAND, SMI_ACPI_ON_BHYVE);
}

bool power_button_pressed(void)
{
	if ((in16(PM1_STATUS) & PM1_BUTTON) == 0)
		return 0;
	out16(PM1_STATUS, PM1_BUTTON);
	return 1;
}
