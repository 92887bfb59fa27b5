/* Where firmware is installed: the first file that exists, by hypervisor. */
#ifndef HYPER_FIRMWARE_H
#define HYPER_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>

/* Lends the first path of the NULL-terminated list that exists, else the first when `any`. */
const char *firmware_first(const char *const *paths, bool any);
/* Is it bhyve's UEFI, which no other hypervisor can run? */
bool firmware_is_bhyve(const char *path);

extern const char *const firmware_bhyve_amd64[];
extern const char *const firmware_bhyve_code[]; /* with variables in a file of their own */
extern const char *const firmware_bhyve_vars[]; /* template of that file */
extern const char *const firmware_bhyve_arm64[];
extern const char *const firmware_qemu[]; /* code and variables in one */
extern const char *const firmware_qemu_code[];
extern const char *const firmware_qemu_vars[];

#endif
