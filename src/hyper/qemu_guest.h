/* The options of qemu for the guest itself: private to qemu.c. */
#ifndef HYPER_QEMU_GUEST_H
#define HYPER_QEMU_GUEST_H

#include "hyper/hyper.h"

/* Adds words and notes for domains, debugger, fw_cfg, SMBIOS and TPM. */
void qemu_add_guest(const struct spec *spec, struct plan *plan);

#endif
