/* What loads a guest of vm-bhyve without firmware, and its installation: guest::load. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "import/vm_bhyve_guest.h"

#define DEFAULT_DELAY "3"      /* seconds that the guest's own loader waits */
#define LOADER_TIMEOUT 15      /* seconds, vmrun's default for the whole loader */
#define LOADER_MARGIN 5	       /* seconds that loading takes beside that */
#define MAX_LOADER_DELAY 86000 /* seconds */

static bool is_grub(const struct guest *g)
{
	return strcmp(g->loader, "grub") == 0;
}

/* Lets the loader have longer if its menu waits for about as long as vmrun waits for all of it. */
static void put_timeout(struct guest *g, struct node *loader)
{
	const char *delay = guest_get_or(g, "loader_timeout", DEFAULT_DELAY);
	long seconds = guest_is_number(delay) ? strtol(delay, NULL, 10) : 0;

	if (seconds > MAX_LOADER_DELAY)
		guest_fault(g, "loader_timeout", "invalid time \"%s\": expected 0 to %d seconds",
		    delay, MAX_LOADER_DELAY);
	else if (seconds + LOADER_MARGIN > LOADER_TIMEOUT)
		node_put(loader, "timeout", node_int(seconds + LOADER_TIMEOUT));
}

/* Puts the variable of a bhyveload option -e, "KEY=VALUE". */
static void put_variable(struct node *env, const char *text)
{
	MEM_AUTO char *key = mem_copy_n(text, strcspn(text, "="));
	const char *value = strchr(text, '=');

	guest_put_text(env, key, value == NULL ? "" : value + 1);
}

/* Puts the words of bhyveload_args: those that have a key in the spec. */
static void put_arguments(struct guest *g, struct node *loader, struct node *env)
{
	WORDS_AUTO struct words words = { 0 };

	guest_split(guest_get_or(g, "bhyveload_args", ""), &words);
	for (char **word = words.item; word != NULL && *word != NULL; word++) {
		const char *value = word[1];

		if (value != NULL && strcmp(*word, "-e") == 0) {
			put_variable(env, value);
			word++;
		} else if (value != NULL && strcmp(*word, "-h") == 0) {
			guest_put_text(loader, "host_dir", value);
			word++;
		} else if (value != NULL && strcmp(*word, "-l") == 0) {
			guest_put_text(loader, "os_loader", value);
			word++;
		} else if (strcmp(*word, "-S") == 0) {
			guest_put_flag(g->spec, "wire_guest_mem", true);
		} else {
			guest_note(g,
			    "bhyveload_args: \"%s\" is left out: \"loader\" has type, timeout, "
			    "console, disks, env, host_dir and os_loader",
			    *word);
		}
	}
}

static void put_disk(struct node *loader, const char *path)
{
	struct node *disks = node_new(NODE_LIST);

	node_append(disks, node_string(path));
	node_put(loader, "disks", disks);
}

/* Adds bhyveload, which gets the boot disk alone. */
static void put_bhyveload(struct guest *g, struct node *loader)
{
	struct node *env = node_new(NODE_OBJECT);
	const char *uuid = guest_get_or(g, "uuid", "");
	const char *program;
	MEM_AUTO char *disk = guest_disk_path(g, 0, guest_get(g, "disk0_name"));

	put_disk(loader, disk);
	if (*uuid != '\0')
		guest_put_text(env, "smbios.system.uuid", uuid);
	guest_put_text(env, "autoboot_delay", guest_get_or(g, "loader_timeout", DEFAULT_DELAY));
	guest_put_text(env, "bhyve_vm_name", g->name);
	put_arguments(g, loader, env);
	program = guest_word(g, "bhyveload_loader");
	if (program != NULL && *program != '\0')
		guest_put_text(loader, "os_loader", program);
	node_put(loader, "env", env);
}

/*
 * Returns the lines of grub_run0, grub_run1, ... ("run"), with a "boot" at the end; NULL if there
 * are none.
 */
static struct node *read_commands(struct guest *g, const char *setting)
{
	struct node *commands = NULL;
	const char *line, *last = "";

	for (int n = 0; (line = guest_get_numbered(g, setting, n, "")) != NULL && *line != '\0';
	     n++) {
		if (commands == NULL)
			commands = node_new(NODE_LIST);
		if (strcmp(line, "boot") == 0)
			continue;
		node_append(commands, node_string(line));
		last = line;
	}
	if (commands != NULL && str_after(last, "configfile") == NULL)
		node_append(commands, node_string("boot"));
	return commands;
}

static void note_commands(struct guest *g, const char *setting, const char *root)
{
	guest_note(g,
	    "%s0: vmrun types these lines at the prompt of grub-bhyve; if %s has a "
	    "/boot/grub/grub.cfg, grub-bhyve shows its menu instead: set loader.dir to a "
	    "directory that it does not have",
	    setting, root);
}

/* Adds grub-bhyve: lines of its own, or the configuration on the guest's disk. */
static void put_grub(struct guest *g, struct node *loader)
{
	const char *partition = guest_get_or(g, "grub_run_partition", "");
	MEM_AUTO char *root = guest_yes(g, "grub_run_no_partition", "")
	    ? mem_copy("hd0")
	    : mem_format("hd0,%s", *partition == '\0' ? "1" : partition);
	struct node *commands = read_commands(g, "grub_run");
	const char *dir, *file;

	guest_put_text(loader, "root", root);
	if (commands != NULL) {
		node_put(loader, "commands", commands);
		note_commands(g, "grub_run", root);
		return;
	}
	dir = guest_word(g, "grub_run_dir");
	file = guest_word(g, "grub_run_file");
	if (dir != NULL && *dir != '\0')
		guest_put_text(loader, "dir", dir);
	if (file != NULL && *file != '\0')
		guest_put_text(loader, "config", file);
}

void guest_add_loader(struct guest *g)
{
	struct node *loader;

	if (g->has_firmware)
		return;
	if (!is_grub(g) && strcmp(g->loader, "bhyveload") != 0) {
		guest_fault(g, "loader",
		    "invalid loader \"%s\": expected bhyveload, grub, uefi, uefi-csm or "
		    "uefi-custom",
		    g->loader);
		return;
	}
	if (!guest_has_numbered(g, "disk", 0, "_name")) {
		guest_fault(g, "disk0_name", "missing: %s boots from disk0", g->loader);
		return;
	}
	loader = node_new(NODE_OBJECT);
	guest_put_text(loader, "type", g->loader);
	put_timeout(g, loader);
	if (g->console != NULL)
		guest_put_text(loader, "console", g->console);
	if (is_grub(g))
		put_grub(g, loader);
	else
		put_bhyveload(g, loader);
	node_put(g->spec, "loader", loader);
	if (is_grub(g) && g->cds > 0)
		guest_note(g,
		    "disks: grub-bhyve knows CD drives as cd0, cd1, ... and the others as hd0, "
		    "hd1, ...; vm-bhyve calls all of them hd: correct loader.root and "
		    "loader.commands");
}

/* Unsets a key of the base in the install target. */
static void unset(struct node *change, const struct node *base, const char *key)
{
	if (node_get(base, key) != NULL)
		node_put(change, key, node_new(NODE_NULL));
}

/* Lets the loader of the install target boot the CD. */
static void put_install_loader(struct guest *g, struct node *install)
{
	const struct node *base = node_get(g->spec, "loader");
	struct node *change, *commands;
	MEM_AUTO char *root = mem_format("cd%zu", g->cds);

	if (base == NULL)
		return;
	change = node_new(NODE_OBJECT);
	node_put(install, "loader", change);
	if (!is_grub(g)) {
		put_disk(change, GUEST_ISO);
		return;
	}
	guest_put_text(change, "root", root);
	unset(change, base, "dir");
	unset(change, base, "config");
	commands = read_commands(g, "grub_install");
	if (commands == NULL) {
		unset(change, base, "commands");
		return;
	}
	node_put(change, "commands", commands);
	note_commands(g, "grub_install", root);
}

/* Returns whether a device of the guest, or the lpc or host bridge, has function 0 of a slot. */
static bool is_taken(const struct guest *g, const char *slot)
{
	if (strcmp(slot, "0:0:0") == 0 || strcmp(slot, "0:31:0") == 0)
		return true;
	for (const struct node *n = g->devices->first; n != NULL; n = n->next) {
		if (strcmp(node_get_text(n, "slot"), slot) == 0)
			return true;
	}
	return false;
}

/* Adds the empty CD that some Windows guests want, in the slot of the installer's. */
static void add_empty_cd(struct guest *g, int slot)
{
	struct guest_slot at = { .slot = slot };
	struct node *cd = guest_add_device(g, "ahci-cd", GUEST_CD, &at);

	guest_put_format(cd, "path", "%s/.config/null.iso", g->datastore);
}

static void put_cd(struct node *changes, const char *slot, bool exists)
{
	struct node *cd = node_new(NODE_OBJECT);

	guest_put_text(cd, "id", GUEST_CD);
	if (!exists) {
		guest_put_text(cd, "device", "ahci-cd");
		guest_put_text(cd, "slot", slot);
	}
	guest_put_text(cd, "path", GUEST_ISO);
	guest_put_flag(cd, "ro", true);
	node_append(changes, cd);
}

static void put_target(struct guest *g, const char *slot, bool has_cd)
{
	struct node *targets = node_new(NODE_OBJECT), *install = node_new(NODE_OBJECT);
	struct node *changes = node_new(NODE_LIST), *screen;

	put_cd(changes, slot, has_cd);
	if (g->waits_at_install) {
		screen = node_new(NODE_OBJECT);
		guest_put_text(screen, "id", GUEST_SCREEN);
		guest_put_flag(screen, "wait", true);
		node_append(changes, screen);
	}
	node_put(install, "emulations", changes);
	guest_put_text(install, "next_target", "default");
	put_install_loader(g, install);
	node_put(targets, "install", install);
	node_put(g->spec, "targets", targets);
	guest_note(g,
	    "targets.install: replace %s by the installer's CD, then run vmrun -t install",
	    GUEST_ISO);
}

/* Adds the target that boots a CD: what `vm install` does. */
void guest_add_install(struct guest *g)
{
	const char *text = guest_get_or(g, "install_slot", "3");
	bool has_cd = strcmp(g->loader, "uefi") == 0 && guest_yes(g, "nulliso_fix", "");
	MEM_AUTO char *slot = NULL;

	if (!guest_is_number(text) || strlen(text) > 2 || atoi(text) > 31) {
		guest_fault(g, "install_slot", "invalid slot \"%s\": expected 0 to 31", text);
		return;
	}
	slot = mem_format("0:%d:0", atoi(text));
	if (is_taken(g, slot) && has_cd) {
		guest_fault(g, "install_slot",
		    "slot %s has a device already: bhyve refuses the CD of nulliso_fix there",
		    text);
		return;
	}
	if (is_taken(g, slot)) {
		guest_note(g,
		    "install_slot: slot %s has a device already, so there is no target "
		    "\"install\": "
		    "add one with an ahci-cd at a free slot",
		    text);
		return;
	}
	if (has_cd)
		add_empty_cd(g, atoi(text));
	put_target(g, slot, has_cd);
}
