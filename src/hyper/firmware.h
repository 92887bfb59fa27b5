/* Where firmware is installed: the first file that exists, by hypervisor. */
#ifndef HYPER_FIRMWARE_H
#define HYPER_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct hypervisor;

/* The kinds that there are, for a hypervisor; a NULL name ends them, NULL paths: it has none. */
struct firmware_kind {
	const char *name; /* "uefi", "code", "vars", "u-boot" */
	const char *const *paths;
};

/* Lends the first path of the NULL-terminated list that exists, else the first when `any`. */
const char *firmware_first(const char *const *paths, bool any);
/*
 * The same by kind, as a script asks for it: *path is lent.  STATUS_USAGE when there is no such
 * kind, STATUS_CHECK when none is installed.
 */
int firmware_find(const struct hypervisor *hyper, const char *kind, bool any, const char **path,
    struct error *err);
/* Is it bhyve's UEFI, which no other hypervisor can run? */
bool firmware_is_bhyve(const char *path);

/* Is it one of the places below, of either hypervisor? */
bool firmware_is_known(const char *path);

extern const char *const firmware_bhyve_amd64[];
extern const char *const firmware_bhyve_code[]; /* with variables in a file of their own */
extern const char *const firmware_bhyve_vars[]; /* template of that file */
extern const char *const firmware_bhyve_arm64[];
extern const char *const firmware_qemu[]; /* code and variables in one */
extern const char *const firmware_qemu_code[];
extern const char *const firmware_qemu_vars[];

extern const struct firmware_kind firmware_kinds_bhyve[], firmware_kinds_qemu[];

#endif
