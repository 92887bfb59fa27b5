/* QEMU's fw_cfg device, which bhyve also has with lpc.fwcfg=qemu. */
#ifndef GUEST_FWCFG_H
#define GUEST_FWCFG_H

#include "io.h"

bool fwcfg_present(void);
u32 fwcfg_cpus(void);

/* Reads a text file by name, truncated to size and terminated; false if it does not exist. */
bool fwcfg_read(const char *name, char *text, u32 size);

#endif
