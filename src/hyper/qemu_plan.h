/* How a plan of qemu is made: private to qemu.c and the files beside it. */
#ifndef HYPER_QEMU_PLAN_H
#define HYPER_QEMU_PLAN_H

#include "hyper/hyper.h"

#define QEMU_PROGRAM "qemu-system-x86_64"

/* A plan in the making; all of it is lent. */
struct qemu_plan {
	const struct spec *spec;
	struct words *argv;
	struct plan *plan;
	struct report *report;
	const struct plan_request *request;
	bool kvm;
};

/* Chooses the accelerator, and keeps the reason for the user. */
void qemu_choose_accel(struct qemu_plan *b);
/* Adds the machine, its processors and its memory. */
void qemu_add_machine(struct qemu_plan *b);
/*
 * Makes qemu behave as bhyve, which has no sleep states and exits at a reset, power-off or panic,
 * and adds the channels that vmrun hears it by.
 */
void qemu_add_behaviour(struct qemu_plan *b);
/* Compares the bridges of the spec with those that q35 has. */
void qemu_check_bridges(struct qemu_plan *b);
/* Adds the devices of the spec; reports those that qemu cannot have. */
void qemu_add_devices(struct qemu_plan *b);
void qemu_add_serial(struct qemu_plan *b);
/* Adds firmware.  OVMF, with variables of its own, replaces bhyve's UEFI, which cannot run here. */
void qemu_add_firmware(struct qemu_plan *b);
/*
 * Returns whether qemu's own BIOS boots the guest: where bootrom is false, from its first disk
 * where bhyve has a loader, or a kernel.  Only a spec that names firmware or variables gets UEFI
 * with a kernel, so that a kernel boots where no firmware is installed.
 */
bool qemu_uses_own_bios(const struct spec *s);
/*
 * Adds the kernel.  qemu reads these words as they are: no comma is doubled (its vl.c and, for the
 * initrd of a Linux kernel, x86.c).
 */
void qemu_add_kernel(const struct qemu_settings *qemu, struct words *argv);
/* Adds words and notes for domains, debugger, fw_cfg, SMBIOS and TPM. */
void qemu_add_guest(const struct spec *spec, struct plan *plan);

#endif
