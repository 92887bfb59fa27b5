/*
 * The lines that tests read: PCI functions, devices on AHCI ports, the number of CPUs.
 * README.md documents their form, which must not change.
 */
#include "inventory.h"
#include "ahci.h"
#include "console.h"
#include "fwcfg.h"
#include "pci.h"

enum { CLASS_AHCI = 0x010601 };

static bool cd_seen;

/* In decimal, as on bhyve's command line. */
static void print_place(const char *what, u32 fn)
{
	console_text(what);
	console_char(' ');
	console_dec(PCI_BUS(fn));
	console_char(':');
	console_dec(PCI_SLOT(fn));
	console_char(':');
	console_dec(PCI_FUNCTION(fn));
}

static void print_ahci_port(u32 fn, u32 port, enum ahci_device device)
{
	static const char *const names[] = {
		[AHCI_DISK] = " disk",
		[AHCI_CD] = " cd",
		[AHCI_OTHER] = " other",
	};

	if (device == AHCI_NOTHING)
		return;
	if (device == AHCI_CD)
		cd_seen = 1;
	print_place("ahci", fn);
	console_text(" port ");
	console_dec(port);
	console_line(names[device]);
}

static void print_function(u32 fn)
{
	u32 id = pci_read(fn, PCI_ID), class = pci_read(fn, PCI_CLASS) >> 8, registers, port;

	print_place("pci", fn);
	console_char(' ');
	console_hex(id & 0xffff, 4);
	console_char(':');
	console_hex(id >> 16, 4);
	console_text(" class ");
	console_hex(class, 6);
	console_char('\n');
	if (class != CLASS_AHCI)
		return;
	registers = ahci_open(fn);
	for (port = 0; port < AHCI_PORTS; port++)
		print_ahci_port(fn, port, ahci_look(registers, port));
}

void inventory_print(void)
{
	cd_seen = 0;
	pci_walk(print_function);
	if (!fwcfg_present())
		return;
	console_text("cpus ");
	console_dec(fwcfg_cpus());
	console_char('\n');
}

bool inventory_has_cd(void)
{
	return cd_seen;
}
