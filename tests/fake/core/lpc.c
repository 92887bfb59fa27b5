/* The argument of -l, and the images of the firmware. */
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROM_SPACE = 16 << 20 };

/* 15 moved the firmware out of the lpc node: arm64 has no lpc. */
static const char *firmware(const struct vm *vm, bool vars)
{
	if (vm->host->release < 15)
		return vars ? "lpc.bootvars" : "lpc.bootrom";
	return vars ? "bootvars" : "bootrom";
}

static int take_rom(struct vm *vm, char *rest)
{
	struct fake_node *lpc = fk_node_at(vm->tree->root, "lpc", true);
	const char *rom = fk_cut_piece(&rest, ','), *vars;
	int rc;

	if (rom == NULL)
		return fk_fail(vm, EXIT_BAD, "bootrom without a file");
	if (lpc == NULL)
		return fk_fail(vm, EXIT_BAD, "lpc is a value");
	rc = fk_set(vm, firmware(vm, false), rom);
	vars = fk_cut_piece(&rest, ',');
	if (rc != 0 || vars == NULL)
		return rc;
	if (vm->host->release < 14)
		return fk_set(vm, firmware(vm, true), vars);
	rc = strchr(vars, '=') == NULL ? fk_set(vm, firmware(vm, true), vars)
				       : fk_conf_pairs(vm, lpc, vars);
	return rc == 0 ? fk_conf_pairs(vm, lpc, rest) : rc;
}

static int take_tpm(struct vm *vm, char *rest)
{
	struct fake_node *tpm = fk_node_at(vm->tree->root, "tpm", true);
	const char *type = fk_cut_piece(&rest, ','), *path = fk_cut_piece(&rest, ',');
	int rc;

	if (tpm == NULL || type == NULL)
		return fk_fail(vm, EXIT_BAD, "tpm without a type");
	rc = fk_set_child(vm, tpm, "type", type);
	if (rc != 0)
		return rc;
	if (path == NULL)
		return fk_fail(vm, EXIT_BAD, "tpm without a path");
	if ((rc = fk_set_child(vm, tpm, "path", path)) != 0 ||
	    (rc = fk_conf_pairs(vm, tpm, rest)) != 0 || fk_node_get(tpm, "version") != NULL)
		return rc;
	return fk_set_child(vm, tpm, "version", "2.0");
}

static int take_com(struct vm *vm, const char *name, const char *path)
{
	char key[] = "lpc.comN.path";

	if (path == NULL)
		return fk_fail(vm, FAKE_SIGNAL(SIGSEGV), "%s without a path", name);
	key[7] = name[3];
	return fk_set(vm, key, path);
}

int fk_take_lpc(struct vm *vm, const char *text)
{
	char *copy = fk_copy_text(text, strlen(text)), *rest = copy;
	const char *name = fk_cut_piece(&rest, ',');
	int rc;

	if (strcasecmp(name, "bootrom") == 0)
		rc = take_rom(vm, rest);
	else if (strcasecmp(name, "tpm") == 0 && vm->host->release >= 14)
		rc = take_tpm(vm, rest);
	else if (strncasecmp(name, "com", 3) == 0 && strspn(name + 3, "1234") == 1 &&
	    name[4] == '\0')
		rc = take_com(vm, name, rest);
	else if (strcasecmp(name, "pc-testdev") == 0)
		rc = fk_set(vm, "lpc.pc-testdev", "true");
	else
		rc = fk_fail(vm, EXIT_USAGE, "invalid lpc device configuration '%s'", text);
	free(copy);
	return rc;
}

const char *fk_bootrom(struct vm *vm)
{
	return fk_get(vm, firmware(vm, false));
}

static int file_size(struct vm *vm, const char *path, int flags, off_t *size)
{
	struct stat status;
	int fd = open(path, flags | O_CLOEXEC);
	bool known = fd >= 0 && fstat(fd, &status) == 0;
	int why = errno;

	if (fd >= 0)
		(void)close(fd);
	if (!known)
		return fk_fail(
		    vm, EXIT_BAD, "cannot open firmware file %s: %s", path, strerror(why));
	*size = status.st_size;
	return 0;
}

int fk_load_bootrom(struct vm *vm)
{
	const char *rom = fk_bootrom(vm), *vars = fk_get(vm, firmware(vm, true));
	off_t rom_size = 0, vars_size = 0;
	int rc;

	if (rom == NULL || vm->host->no_files)
		return 0;
	rc = file_size(vm, rom, O_RDONLY, &rom_size);
	if (rc == 0 && vars != NULL) {
		rc = file_size(vm, vars, O_RDWR, &vars_size);
		if (rc == 0 && vars_size < PAGE)
			return fk_fail(vm, EXIT_BAD, "bootvars %s is too small", vars);
	}
	if (rc != 0)
		return rc;
	if (rom_size == 0 || rom_size % PAGE != 0 || rom_size + vars_size > ROM_SPACE)
		return fk_fail(
		    vm, EXIT_BAD, "invalid size %lld of bootrom %s", (long long)rom_size, rom);
	return 0;
}

int fk_init_lpc(struct vm *vm, const struct device *device)
{
	char key[] = "lpc.comN.path";
	bool test_device = false;
	int rc;

	if (!fk_take(vm, "device", "lpc"))
		return fk_fail(vm, EXIT_BAD, "only one LPC bridge is allowed");
	if (device->bus != 0)
		return fk_fail(vm, EXIT_BAD, "the LPC bridge can be on bus 0 only");
	rc = vm->host->release < 15 ? fk_load_bootrom(vm) : 0;
	for (key[7] = '1'; rc == 0 && key[7] <= '4'; key[7]++)
		rc = fk_open_serial(vm, fk_get(vm, key));
	return rc == 0 ? fk_get_bool(vm, "lpc.pc-testdev", &test_device) : rc;
}
