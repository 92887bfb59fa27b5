/* What a VM needs of its host apart from its devices. */
#include <string.h>

#include "base/mem.h"
#include "device/serial.h"
#include "spec/spec.h"

/*
 * Returns whether the path is `above` or lies below it.  Repeated slashes and components "." do
 * not count.
 */
static bool is_in(const char *path, const char *above)
{
	for (;;) {
		size_t n;

		while (*above == '/' || (*above == '.' && (above[1] == '/' || above[1] == '\0')))
			above++;
		while (*path == '/' || (*path == '.' && (path[1] == '/' || path[1] == '\0')))
			path++;
		n = strcspn(above, "/");
		if (n == 0)
			return true;
		if (strcspn(path, "/") != n || strncmp(path, above, n) != 0)
			return false;
		path += n;
		above += n;
	}
}

const char *spec_maker(const struct spec *spec, const char *path)
{
	const struct companion *item = spec->companions.item;

	for (size_t i = 0; *path == '/' && i < spec->companions.count; i++) {
		if (item[i].ready.path != NULL && is_in(path, item[i].ready.path))
			return item[i].name;
	}
	if (*path == '/' && spec->tpm.managed && spec->tpm.path != NULL &&
	    is_in(path, spec->tpm.path))
		return SPEC_SWTPM;
	return NULL;
}

const char *spec_need_maker(const struct spec *spec, const struct need *need)
{
	/* Files by which FreeBSD (the device of tap(4)) and Linux (sysfs) show an interface. */
	static const char *const places[] = { "/dev/", "/sys/class/net/" };
	const char *maker = spec_maker(spec, need->what);

	for (size_t i = 0; need->kind == NEED_INTERFACE && maker == NULL &&
	     i < sizeof(places) / sizeof(places[0]);
	     i++) {
		MEM_AUTO char *path = mem_format("%s%s", places[i], need->what);

		maker = spec_maker(spec, path);
	}
	return maker;
}

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

void spec_need_debugger(const struct spec *spec, struct needs *needs)
{
	const char *place = spec->gdb == NULL ? NULL : spec->gdb + (*spec->gdb == 'w' ? 1 : 0);
	const char *port = place == NULL ? NULL : strrchr(place, ':');
	MEM_AUTO char *full = NULL;

	if (place == NULL)
		return;
	if (port == NULL)
		full = mem_format("127.0.0.1:%s", place);
	else if (strchr(place, ':') == port)
		full = mem_copy(place);
	else
		full = mem_format("[%.*s]%s", (int)(port - place), place, port);
	(void)needs_add(needs, NEED_PORT, "gdb", full);
}

/* Adds a disk that bhyveload opens for writing, whatever the guest may do with it. */
static void add_loader_disk(
    struct needs *needs, const char *above, const char *key, const char *path)
{
	struct need *need = needs_add(needs, NEED_FILE, key, path);

	need->above = above;
	need->write = true;
	need->bhyve_only = true;
}

/* Adds those of the spec's disks that the guest only reads. */
static void add_read_only_disks(const struct spec *spec, struct needs *needs)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		NEEDS_AUTO struct needs own = { 0 };

		device_needs(spec->devices[i], &own);
		for (size_t k = 0; k < own.count; k++) {
			if (own.item[k].kind == NEED_DISK && !own.item[k].write)
				add_loader_disk(needs, NULL, "loader", own.item[k].what);
		}
	}
}

static void add_loader(const struct spec *spec, struct needs *needs)
{
	const struct loader *loader = &spec->loader;

	add_in(needs, NEED_DIRECTORY, "loader", "host_dir", loader->host_dir);
	add_in(needs, NEED_FILE, "loader", "os_loader", loader->os_loader);
	add_in(needs, NEED_FILE, "loader", "device_map", loader->device_map);
	for (size_t i = 0; i < loader->disks.count; i++)
		add_loader_disk(needs, "loader", "disks", loader->disks.item[i]);
	if (loader->type == LOADER_BHYVELOAD && loader->disks.count == 0)
		add_read_only_disks(spec, needs);
}

/* Adds the program of a command, with the text of its owner, which is taken. */
static struct need *add_program(
    struct needs *needs, const char *key, const char *program, char *owner)
{
	struct need *need = needs_add(needs, NEED_PROGRAM, key, program);

	need->owner = owner;
	return need;
}

static void add_companions(const struct spec *spec, struct needs *needs)
{
	const struct companion *item = spec->companions.item;

	for (size_t i = 0; i < spec->companions.count; i++) {
		const struct words *commands[] = { &item[i].command, &item[i].ready.command };

		for (size_t k = 0; k < 2; k++) {
			struct need *need;

			if (commands[k]->count == 0)
				continue;
			need = add_program(needs, k == 0 ? "command" : "ready",
			    commands[k]->item[0],
			    mem_format("%scompanion %s", k == 0 ? "" : "ready of ", item[i].name));
			need->above = "companions";
			need->listed = true;
			need->index = i;
		}
	}
}

/* Adds the program of a probe. */
static void add_probe(const struct probe *probe, const char *key, struct needs *needs)
{
	if (probe->command.count > 0)
		add_program(needs, "exec", probe->command.item[0], mem_copy(key))->above = key;
}

/* Adds the programs that hooks name. */
static void add_hooks(const struct spec *spec, struct needs *needs)
{
	for (size_t i = 0; i < spec->hooks.count; i++) {
		const struct hook_file *hook = &spec->hooks.item[i];

		for (size_t k = 0; k < hook->programs.count; k++) {
			struct need *need = add_program(
			    needs, NULL, hook->programs.item[k], mem_format("hook %s", hook->name));

			need->above = hook->of_option ? NULL : "hooks";
			need->listed = true;
			need->index = i;
		}
	}
}

/* Adds the programs that the spec names, and that its keys bring along. */
static void add_programs(const struct spec *spec, struct needs *needs)
{
	if (spec->tpm.managed)
		add_program(needs, "managed", "swtpm", mem_copy("tpm"))->above = "tpm";
	if (spec->post_start_script.count > 0)
		add_program(needs, "post_start_script", spec->post_start_script.item[0],
		    mem_copy("post_start_script"))
		    ->optional = true;
	add_companions(spec, needs);
	add_probe(&spec->ready, "ready", needs);
	add_probe(&spec->alive, "alive", needs);
	add_hooks(spec, needs);
}

/* Adds the log of the console, which is written only if a serial port is the console. */
static void add_log(const struct spec *spec, struct needs *needs)
{
	if (spec_has_console(spec))
		add_in(needs, NEED_LOG, "console", "log", spec->console.log);
}

void spec_needs(const struct spec *spec, struct needs *needs)
{
	const struct fwcfg_item *item = spec->fwcfg.item;

	add_serial(spec, needs);
	spec_need_debugger(spec, needs);
	if (spec->tpm.type == TPM_PASSTHRU)
		add_in(needs, NEED_DEVICE, "tpm", "path", spec->tpm.path);
	if (spec->tpm.type == TPM_SWTPM)
		add_in(needs, NEED_SERVER, "tpm", "path", spec->tpm.path);
	add_loader(spec, needs);
	add_in(needs, NEED_KERNEL, "qemu", "kernel", spec->qemu.kernel);
	add_in(needs, NEED_FILE, "qemu", "initrd", spec->qemu.initrd);
	add_programs(spec, needs);
	add_log(spec, needs);
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
