/* How a plan of qemu is made: private to qemu.c and the files beside it. */
#ifndef HYPER_QEMU_PLAN_H
#define HYPER_QEMU_PLAN_H

#include "hyper/hyper.h"

/* A machine of qemu, and what the guests of its architecture get from it. */
struct qemu_machine {
	const char *name, *program;
	const char *tcg_options; /* of -cpu max, or NULL */
	const char *tpm;	 /* the model of a TPM */
	const char *const *firmware, *const *code, *const *vars;
	/* It has what belongs to PCs: BIOS, LPC, ISA and, under TCG, a log of triple faults. */
	bool is_pc;
};

/* What the user's own words for qemu mean for vmrun's. */
struct qemu_user {
	struct words rest;	    /* those that are passed on as they are */
	char *accel;		    /* the first accelerator that they name, or NULL */
	bool may_be_tcg;	    /* tcg is one of those */
	bool has_smp, has_cpu;	    /* they replace vmrun's */
	bool has_sata;		    /* q35 keeps its own SATA */
	bool holds;		    /* the guest waits for a debugger or a monitor */
	bool uses_stdio;	    /* of vmrun */
	bool has_log;		    /* the user reads qemu's log */
	char *log_items, *log_path; /* of -d and -D, or NULL */
};

/* A plan in the making; all of it but the user's words is lent. */
struct qemu_plan {
	const struct spec *spec;
	struct words *argv;
	struct plan *plan;
	struct report *report;
	const struct plan_request *request;
	bool kvm;
	struct qemu_user user;
	const struct qemu_machine *machine;
	int last_bus; /* the highest one that devices can be on */
};

/* Returns the machine for the architecture of the guest. */
const struct qemu_machine *qemu_machine_of(const struct spec *spec);
/* Reads what the user's words say of the machine, and the accelerator, which decides on the log. */
void qemu_read_user_machine(struct qemu_plan *b);
/* Reads the user's words, and reports those that would take from vmrun what it needs. */
void qemu_read_user(struct qemu_plan *b);
void qemu_user_clear(struct qemu_user *user);
/* Returns whether words of the spec, or those after `--`, use vmrun's stdin and stdout. */
bool qemu_words_use_stdio(const struct spec *spec, const struct words *extra);
/* Returns whether a run reads qemu's log, which distinguishes a triple fault from a reset. */
bool qemu_hears_log(const struct qemu_plan *b);

/* Chooses the accelerator, and keeps the reason for the user. */
void qemu_choose_accel(struct qemu_plan *b);
/* Adds the machine, its processors and its memory. */
void qemu_add_machine(struct qemu_plan *b);
/*
 * Makes qemu behave as bhyve, which has no sleep states and exits at a reset, a power-off or a
 * panic.
 */
void qemu_add_behaviour(struct qemu_plan *b);
/*
 * Adds the channels that vmrun hears qemu by.  A dry run has none, and starts the guest at once,
 * unless a debugger does that (is_held).
 */
void qemu_add_channels(struct qemu_plan *b, bool is_held);
/* Compares the bridges of the spec with those that the machine has. */
void qemu_check_bridges(struct qemu_plan *b);
/* Adds the bridges to the buses above 0 that devices of the spec are on, and sets last_bus. */
void qemu_add_buses(struct qemu_plan *b);
/* Adds the devices of the spec; reports those that qemu cannot have. */
void qemu_add_devices(struct qemu_plan *b);
void qemu_add_serial(struct qemu_plan *b);
/*
 * Adds firmware.  OVMF or AAVMF, with variables of its own, replaces bhyve's UEFI or u-boot, which
 * cannot run here.
 */
void qemu_add_firmware(struct qemu_plan *b);
/* Refuses a guest that only a BIOS could boot, on a machine without one. */
void qemu_check_boot(struct qemu_plan *b);
/*
 * Returns whether qemu itself boots the guest, by its own BIOS if the machine has one: where
 * bootrom is false, from its first disk where bhyve has a loader, or a kernel.  Only a spec that
 * names firmware or variables gets UEFI with a kernel, so that a kernel boots where no firmware is
 * installed.
 */
bool qemu_uses_own_bios(const struct spec *s);
/*
 * Adds the kernel.  qemu reads these words as they are: no comma is doubled (its vl.c and, for the
 * initrd of a Linux kernel, x86.c).
 */
void qemu_add_kernel(const struct qemu_settings *qemu, struct words *argv);
/* Adds words and notes for domains, debugger, fw_cfg, SMBIOS and TPM. */
void qemu_add_guest(const struct spec *spec, const struct qemu_machine *machine, struct plan *plan);

#endif
