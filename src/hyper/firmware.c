/* Places of firmware: FreeBSD's ports bhyve-firmware, edk2-bhyve, u-boot-bhyve-arm64 and qemu, and
 * Debian's package ovmf. */
#include "hyper/firmware.h"

#include <string.h>
#include <unistd.h>

#define BHYVE_DIR "/usr/local/share/uefi-firmware/"
#define EDK2_DIR "/usr/local/share/edk2-bhyve/"

const char *const firmware_bhyve_amd64[] = {
	BHYVE_DIR "BHYVE_UEFI.fd",
	EDK2_DIR "BHYVE_UEFI.fd",
	NULL,
};
const char *const firmware_bhyve_code[] = {
	BHYVE_DIR "BHYVE_UEFI_CODE.fd",
	EDK2_DIR "BHYVE_UEFI_CODE.fd",
	NULL,
};
const char *const firmware_bhyve_vars[] = {
	BHYVE_DIR "BHYVE_UEFI_VARS.fd",
	EDK2_DIR "BHYVE_UEFI_VARS.fd",
	NULL,
};
const char *const firmware_bhyve_arm64[] = {
	"/usr/local/share/u-boot/u-boot-bhyve-arm64/u-boot.bin",
	NULL,
};
const char *const firmware_qemu[] = {
	"/usr/share/ovmf/OVMF.fd",
	"/usr/share/qemu/OVMF.fd",
	NULL,
};
const char *const firmware_qemu_code[] = {
	"/usr/share/OVMF/OVMF_CODE_4M.fd",
	"/usr/local/share/qemu/edk2-x86_64-code.fd",
	NULL,
};
const char *const firmware_qemu_vars[] = {
	"/usr/share/OVMF/OVMF_VARS_4M.fd",
	"/usr/local/share/qemu/edk2-i386-vars.fd",
	NULL,
};

const char *firmware_first(const char *const *paths, bool any)
{
	for (size_t i = 0; paths[i] != NULL; i++) {
		if (access(paths[i], R_OK) == 0)
			return paths[i];
	}
	return any ? paths[0] : NULL;
}

bool firmware_is_bhyve(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strncmp(slash == NULL ? path : slash + 1, "BHYVE_UEFI", 10) == 0;
}
