/* QEMU's fw_cfg device, which bhyve has too when told so (lpc.fwcfg=qemu). */
#ifndef GUEST_FWCFG_H
#define GUEST_FWCFG_H

#include "io.h"

bool fwcfg_present(void);
u32 fwcfg_cpus(void);

/* A text file by name, cut to size and terminated; false when it is not there. */
bool fwcfg_read(const char *name, char *text, u32 size);

#endif
