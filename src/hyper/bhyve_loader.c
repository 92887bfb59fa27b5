/* bhyveload(8) and grub-bhyve: the programs that load a kernel into a VM before bhyve runs it. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/serial.h"
#include "hyper/bhyve_plan.h"

#define MAX_LOADER_DISKS 32 /* NDISKS of bhyveload.c */

/* Finds the disks of the spec in the order of its devices, which a loader reads by default. */
static void find_disks(const struct spec *spec, bool cds, struct words *paths)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];
		NEEDS_AUTO struct needs needs = { 0 };

		device_needs(dev, &needs);
		for (size_t k = 0; k < needs.count; k++) {
			if (needs.item[k].kind == NEED_DISK && needs.item[k].cd == cds)
				words_add(paths, needs.item[k].what);
		}
	}
}

/* Returns the console of the loader, or NULL if a loader cannot use com1. */
static const char *console_of(const struct spec *spec)
{
	const char *com = spec_com(spec, 0);

	if (spec->loader.console != NULL)
		return spec->loader.console;
	return com != NULL && serial_tcp_place(com) == NULL ? com : NULL;
}

/*
 * Adds the common options.  Size and wiring of memory must be those of bhyve, which would fail
 * otherwise.
 */
static void add_common(struct bhyve_build *b, struct loading *out, const char *memory_option)
{
	const char *console = console_of(b->spec);
	MEM_AUTO char *size = bhyve_size(b->spec->mem);

	if (bhyve_is_wired(b->spec))
		words_add(&out->argv, "-S");
	if (console != NULL) {
		words_add(&out->argv, "-c");
		words_add(&out->argv, console);
		out->uses_stdio = strcmp(console, "stdio") == 0;
	}
	words_add(&out->argv, memory_option);
	words_add(&out->argv, size);
}

static void add_option(struct words *argv, const char *option, const char *value)
{
	if (value == NULL)
		return;
	words_add(argv, option);
	words_add(argv, value);
}

static void plan_bhyveload(struct bhyve_build *b, struct loading *out)
{
	const struct loader *loader = &b->spec->loader;
	WORDS_AUTO struct words disks = { 0 };

	words_add(&out->argv, "bhyveload");
	if (b->spec->guest_mem_in_core)
		words_add(&out->argv, "-C");
	add_common(b, out, "-m");
	words_append(&disks, &loader->disks);
	if (disks.count == 0) {
		find_disks(b->spec, false, &disks);
		find_disks(b->spec, true, &disks);
	}
	if (disks.count > MAX_LOADER_DISKS)
		bhyve_refuse(b, "loader",
		    "bhyveload takes at most " NUMBER_TEXT(
			MAX_LOADER_DISKS) " disks: name those that it needs in \"disks\"");
	for (size_t i = 0; i < disks.count; i++)
		add_option(&out->argv, "-d", disks.item[i]);
	for (size_t i = 0; i < loader->env.count; i++) {
		words_add(&out->argv, "-e");
		words_addf(&out->argv, "%s=%s", loader->env.item[i].key, loader->env.item[i].value);
	}
	add_option(&out->argv, "-h", loader->host_dir);
	add_option(&out->argv, "-l", loader->os_loader);
}

/* Makes the device map: the disks under GRUB's names. */
static void make_map(struct bhyve_build *b, struct loading *out)
{
	static const char *const names[] = { "hd", "cd" };
	struct str map = { 0 };

	for (int cd = 0; cd <= 1; cd++) {
		WORDS_AUTO struct words paths = { 0 };

		find_disks(b->spec, cd == 1, &paths);
		for (size_t i = 0; i < paths.count; i++) {
			/* grub-bhyve ends the name of a file at the first blank (hostdisk.c). */
			if (strpbrk(paths.item[i], " \t\n\v\f\r") != NULL)
				bhyve_refuse(b, "loader",
				    "a disk's path contains a blank, which no device map can: "
				    "rename it, or name another in \"device_map\"");
			str_addf(&map, "(%s%zu) %s\n", names[cd], i, paths.item[i]);
		}
	}
	out->map = str_take(&map);
	out->map_path = mem_format("%s/" PLAN_FILE_MAP, b->request->directory);
}

static void plan_grub(struct bhyve_build *b, struct loading *out)
{
	const struct loader *loader = &b->spec->loader;
	struct str input = { 0 };

	words_add(&out->argv, "grub-bhyve");
	add_common(b, out, "-M");
	if (loader->device_map == NULL)
		make_map(b, out);
	add_option(
	    &out->argv, "-m", loader->device_map != NULL ? loader->device_map : out->map_path);
	add_option(&out->argv, "-r", loader->root);
	add_option(&out->argv, "-d", loader->dir);
	add_option(&out->argv, "-g", loader->config);
	for (size_t i = 0; i < loader->commands.count; i++)
		str_addf(&input, "%s\n", loader->commands.item[i]);
	if (input.length > 0) {
		out->input = str_take(&input);
		out->input_path = mem_format("%s/" PLAN_FILE_INPUT, b->request->directory);
	}
}

void bhyve_add_loader(struct bhyve_build *b)
{
	struct loading *out = &b->plan->loading;

	if (b->host.arm64) {
		bhyve_refuse(b, "loader", "bhyve on arm64 boots firmware only");
		return;
	}
	out->timeout_ms = b->spec->loader.timeout_ms;
	if (b->spec->loader.type == LOADER_GRUB)
		plan_grub(b, out);
	else
		plan_bhyveload(b, out);
	words_add(&out->argv, b->spec->name);
}
