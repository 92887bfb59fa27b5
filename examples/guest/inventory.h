/* Prints the machine's devices on the console. */
#ifndef GUEST_INVENTORY_H
#define GUEST_INVENTORY_H

#include "io.h"

void inventory_print(void);

/* Returns whether inventory_print() has found a CD drive on an AHCI port. */
bool inventory_has_cd(void);

#endif
