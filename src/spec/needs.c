/* What a VM needs of its host apart from its devices. */
#include <string.h>

#include "base/mem.h"
#include "device/serial.h"
#include "spec/spec.h"

static void add_in(
    struct needs *needs, enum need_kind kind, const char *above, const char *key, const char *what)
{
	if (what != NULL)
		needs_add(needs, kind, key, what)->above = above;
}

static void add_serial(const struct spec *spec, struct needs *needs)
{
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		if (spec_com(spec, i) != NULL && !spec_com_is_open(spec, i))
			serial_need(spec_com(spec, i), spec_com_key(i), needs);
	}
}

/* Adds the port of "[w][ADDR:]PORT". */
static void add_debugger(const struct spec *spec, struct needs *needs)
{
	const char *place = spec->gdb == NULL ? NULL : spec->gdb + (*spec->gdb == 'w' ? 1 : 0);

	if (place != NULL) {
		MEM_AUTO char *full =
		    mem_format("%s%s", strchr(place, ':') == NULL ? "127.0.0.1:" : "", place);

		(void)needs_add(needs, NEED_PORT, "gdb", full);
	}
}

static void add_loader(const struct spec *spec, struct needs *needs)
{
	const struct loader *loader = &spec->loader;

	add_in(needs, NEED_DIRECTORY, "loader", "host_dir", loader->host_dir);
	add_in(needs, NEED_FILE, "loader", "os_loader", loader->os_loader);
	add_in(needs, NEED_FILE, "loader", "device_map", loader->device_map);
	for (size_t i = 0; i < loader->disks.count; i++)
		add_in(needs, NEED_FILE, "loader", "disks", loader->disks.item[i]);
}

void spec_needs(const struct spec *spec, struct needs *needs)
{
	const struct fwcfg_item *item = spec->fwcfg.item;

	add_serial(spec, needs);
	add_debugger(spec, needs);
	if (spec->tpm.type == TPM_PASSTHRU)
		add_in(needs, NEED_DEVICE, "tpm", "path", spec->tpm.path);
	/* vmrun starts a managed swtpm after the checks, and it stays from boot to boot. */
	if (spec->tpm.type == TPM_SWTPM && !spec->tpm.managed)
		add_in(needs, NEED_SERVER, "tpm", "path", spec->tpm.path);
	add_loader(spec, needs);
	for (size_t i = 0; i < spec->fwcfg.count; i++) {
		struct need *need;

		if (item[i].file == NULL)
			continue;
		need = needs_add(needs, NEED_FILE, "file", item[i].file);
		need->above = "fwcfg";
		need->listed = true;
		need->index = i;
	}
}
