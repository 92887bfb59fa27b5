/* Finds the devices on the ports of an AHCI controller. */
#ifndef GUEST_AHCI_H
#define GUEST_AHCI_H

#include "io.h"

enum { AHCI_PORTS = 32 };
enum ahci_device { AHCI_NOTHING, AHCI_DISK, AHCI_CD, AHCI_OTHER };

/* Makes the registers of a controller reachable and returns their address. */
u32 ahci_open(u32 fn);
enum ahci_device ahci_look(u32 registers, u32 port);

#endif
