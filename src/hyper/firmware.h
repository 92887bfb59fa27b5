/* Where firmware is installed, by hypervisor. */
#ifndef HYPER_FIRMWARE_H
#define HYPER_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct hypervisor;

/*
 * A kind of firmware.  A NULL name ends a list of them; NULL paths mean that the hypervisor has
 * none.
 */
struct firmware_kind {
	const char *name; /* "uefi", "code", "vars", "u-boot" */
	const char *const *paths;
};

/* Lends the first path of the list that exists; otherwise the first one if `any`, else NULL. */
const char *firmware_first(const char *const *paths, bool any);
/*
 * Finds firmware by the name of its kind, for scripts; *path is lent.  Fails with STATUS_USAGE if
 * the kind is unknown, STATUS_CHECK if none is installed.
 */
int firmware_find(const struct hypervisor *hyper, const char *kind, bool any, const char **path,
    struct error *err);
/* Returns whether it is bhyve's UEFI or u-boot, which no other hypervisor can run. */
bool firmware_is_bhyve(const char *path);

/*
 * Returns the template of UEFI variables beside the firmware: X_VARS.fd for X_CODE.fd.  NULL if the
 * firmware's name has no "_CODE".  Caller frees.
 */
char *firmware_template(const char *rom);

/* Returns whether it is one of the paths below. */
bool firmware_is_known(const char *path);

/* Returns the port of FreeBSD that installs a path of bhyve's firmware below.  Static text. */
const char *firmware_port(const char *path);
/* Returns the package of Debian that installs a path of qemu's firmware below, or NULL. */
const char *firmware_package(const char *path);

extern const char *const firmware_bhyve_amd64[];
extern const char *const firmware_bhyve_code[]; /* keeps its variables in another file */
extern const char *const firmware_bhyve_vars[]; /* template of that file */
extern const char *const firmware_bhyve_arm64[];
extern const char *const firmware_qemu[]; /* code and variables in one file */
extern const char *const firmware_qemu_code[];
extern const char *const firmware_qemu_vars[];
extern const char *const firmware_qemu_arm64[];
extern const char *const firmware_qemu_arm64_code[];
extern const char *const firmware_qemu_arm64_vars[];

extern const struct firmware_kind firmware_kinds_bhyve[], firmware_kinds_qemu[];

#endif
