/*
 * Places of firmware: FreeBSD's ports bhyve-firmware, edk2-bhyve, u-boot-bhyve-arm64 and qemu, and
 * Debian's packages ovmf and qemu-efi-aarch64.
 */
#include "hyper/firmware.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"
#include "hyper/hyper.h"

#define BHYVE_DIR "/usr/local/share/uefi-firmware/"
#define EDK2_DIR "/usr/local/share/edk2-bhyve/"
#define BHYVE_UBOOT "/u-boot-bhyve-arm64/"

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
	"/usr/local/share/u-boot" BHYVE_UBOOT "u-boot.bin",
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
const char *const firmware_qemu_arm64[] = {
	"/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",
	"/usr/local/share/qemu/edk2-aarch64-code.fd",
	NULL,
};
const char *const firmware_qemu_arm64_code[] = {
	"/usr/share/AAVMF/AAVMF_CODE.fd",
	"/usr/local/share/qemu/edk2-aarch64-code.fd",
	NULL,
};
const char *const firmware_qemu_arm64_vars[] = {
	"/usr/share/AAVMF/AAVMF_VARS.fd",
	"/usr/local/share/qemu/edk2-arm-vars.fd",
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

const struct firmware_kind firmware_kinds_bhyve[] = {
	{ "uefi", firmware_bhyve_amd64 },
	{ "code", firmware_bhyve_code },
	{ "vars", firmware_bhyve_vars },
	{ "u-boot", firmware_bhyve_arm64 },
	{ NULL, NULL },
};
const struct firmware_kind firmware_kinds_qemu[] = {
	{ "uefi", firmware_qemu },
	{ "code", firmware_qemu_code },
	{ "vars", firmware_qemu_vars },
	{ "u-boot", firmware_qemu_arm64 }, /* replaces u-boot, as in a plan */
	{ NULL, NULL },
};

static int no_kind(const struct firmware_kind *kinds, const char *kind, struct error *err)
{
	struct near near = { .wanted = kind };
	struct str all = { 0 };

	for (const struct firmware_kind *k = kinds; k->name != NULL; k++) {
		near_offer(&near, k->name);
		str_addf(&all, "%s%s", k == kinds ? "" : ", ", k->name);
	}
	MEM_AUTO char *hint = near_hint(&near);
	MEM_AUTO char *names = str_take(&all);

	return error_set(
	    err, STATUS_USAGE, "unknown kind of firmware \"%s\"%s (known: %s)", kind, hint, names);
}

static int none_installed(const struct firmware_kind *kind, struct error *err)
{
	struct str all = { 0 };

	for (size_t i = 0; kind->paths != NULL && kind->paths[i] != NULL; i++)
		str_addf(&all, "%s%s", i == 0 ? "" : ", ", kind->paths[i]);
	MEM_AUTO char *paths = str_take(&all);

	if (kind->paths == NULL)
		return error_set(err, STATUS_CHECK,
		    "this hypervisor has no firmware of the kind %s", kind->name);
	return error_set(err, STATUS_CHECK, "no firmware of the kind %s is installed: missing %s",
	    kind->name, paths);
}

int firmware_find(const struct hypervisor *hyper, const char *kind, bool any, const char **path,
    struct error *err)
{
	for (const struct firmware_kind *k = hyper->firmware; k->name != NULL; k++) {
		if (strcmp(k->name, kind) != 0)
			continue;
		*path = k->paths == NULL ? NULL : firmware_first(k->paths, any);
		return *path != NULL ? 0 : none_installed(k, err);
	}
	return no_kind(hyper->firmware, kind, err);
}

static bool is_listed(const char *const *paths, const char *path)
{
	for (size_t i = 0; paths[i] != NULL; i++) {
		if (strcmp(paths[i], path) == 0)
			return true;
	}
	return false;
}

bool firmware_is_known(const char *path)
{
	static const char *const *const places[] = { firmware_bhyve_amd64, firmware_bhyve_code,
		firmware_bhyve_vars, firmware_bhyve_arm64, firmware_qemu, firmware_qemu_code,
		firmware_qemu_vars, firmware_qemu_arm64, firmware_qemu_arm64_code,
		firmware_qemu_arm64_vars };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (is_listed(places[i], path))
			return true;
	}
	return false;
}

bool firmware_is_bhyve(const char *path)
{
	const char *slash = strrchr(path, '/');

	return str_after(slash == NULL ? path : slash + 1, "BHYVE_UEFI") != NULL ||
	    strstr(path, BHYVE_UBOOT) != NULL;
}

const char *firmware_port(const char *path)
{
	return strcmp(path, firmware_bhyve_arm64[0]) == 0 ? "u-boot-bhyve-arm64" : "edk2-bhyve";
}

const char *firmware_package(const char *path)
{
	if (is_listed(firmware_qemu, path) || is_listed(firmware_qemu_code, path) ||
	    is_listed(firmware_qemu_vars, path))
		return "ovmf";
	return is_listed(firmware_qemu_arm64, path) || is_listed(firmware_qemu_arm64_code, path) ||
		is_listed(firmware_qemu_arm64_vars, path)
	    ? "qemu-efi-aarch64"
	    : NULL;
}

/* Names of the ports and packages differ: edk2-x86_64-code.fd has edk2-i386-vars.fd. */
static const char *other_template(const char *rom)
{
	static const char *const *const pairs[][2] = {
		{ firmware_qemu_code, firmware_qemu_vars },
		{ firmware_qemu_arm64_code, firmware_qemu_arm64_vars },
	};

	for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++) {
		for (size_t i = 0; pairs[p][0][i] != NULL; i++) {
			if (strcmp(pairs[p][0][i], rom) == 0)
				return pairs[p][1][i];
		}
	}
	return NULL;
}

char *firmware_template(const char *rom)
{
	const char *slash = strrchr(rom, '/'), *code = NULL;
	const char *known = other_template(rom);

	for (const char *p = slash == NULL ? rom : slash; (p = strstr(p, "_CODE")) != NULL; p++)
		code = p;
	if (known != NULL)
		return mem_copy(known);
	return code == NULL
	    ? NULL
	    : mem_format("%.*s_VARS%s", (int)(code - rom), rom, code + strlen("_CODE"));
}
