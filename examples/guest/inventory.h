/* What the machine has, told on the console. */
#ifndef GUEST_INVENTORY_H
#define GUEST_INVENTORY_H

#include "io.h"

void inventory_print(void);

/* Whether inventory_print() has come across a CD drive on an AHCI port. */
bool inventory_has_cd(void);

#endif
