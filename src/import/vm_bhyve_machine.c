/* The machine of a guest of vm-bhyve: processors, memory, firmware, serial ports, policy. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "import/bhyve_values.h"
#include "import/vm_bhyve_guest.h"
#include "spec/spec.h"

#define FIRMWARE "/usr/local/share/uefi-firmware/"

void guest_set_cpu(struct guest *g, const char *key, const char *text)
{
	struct bhyve_cpus cpus = { 0 };
	MEM_AUTO char *why = NULL;
	struct node *cpu = NULL;
	const char *rest = text;
	bool good = true;

	while (rest != NULL) {
		MEM_AUTO char *piece = guest_piece(&rest);
		char *equal = strchr(piece, '=');

		if (equal != NULL)
			*equal = '\0';
		good = bhyve_cpus_set(&cpus, equal == NULL ? "cpus" : piece,
			   equal == NULL ? piece : equal + 1) &&
		    good;
	}
	if (!good) {
		guest_fault(g, key, "invalid processors \"%s\": expected numbers from 1 to %d",
		    text, MAX_CPUS);
		return;
	}
	why = bhyve_cpus_node(&cpus, &cpu);
	if (why != NULL)
		guest_fault(g, key,
		    "%s; set cpu_sockets, cpu_cores and cpu_threads so that their product is cpu",
		    why);
	else
		node_put(g->spec, "cpu", cpu);
}

void guest_set_memory(struct guest *g, const char *key, const char *text)
{
	MEM_AUTO char *size = NULL;
	MEM_AUTO char *why = bhyve_memory_text(text, &size);

	if (why != NULL)
		guest_fault(g, key, "%s", why);
	else
		guest_put_text(g->spec, "mem", size);
}

static void add_cpu(struct guest *g)
{
	static const char *const keys[] = { "cpu_sockets", "cpu_cores", "cpu_threads" };
	const char *cpu = guest_word(g, "cpu");
	struct str s = { 0 };

	if (cpu == NULL || *cpu == '\0') {
		guest_fault(g, "cpu", "missing: vm-bhyve does not start a guest without it");
		return;
	}
	str_add(&s, cpu);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = guest_word(g, keys[i]);

		if (value != NULL && *value != '\0')
			str_addf(&s, ",%s=%s", keys[i] + strlen("cpu_"), value);
	}
	g->cpu = str_take(&s);
	guest_set_cpu(g, "cpu", g->cpu);
}

static void add_firmware(struct guest *g)
{
	if (strcmp(g->loader, "uefi-devel") == 0)
		guest_put_text(g->spec, "bootrom", FIRMWARE "BHYVE_UEFI_CODE-devel.fd");
	else if (strcmp(g->loader, "uefi-csm") == 0)
		guest_put_text(g->spec, "bootrom", FIRMWARE "BHYVE_UEFI_CSM.fd");
	else if (strcmp(g->loader, "uefi-custom") == 0)
		guest_put_format(g->spec, "bootrom", "%s/.config/BHYVE_UEFI.fd", g->datastore);
	else
		guest_put_text(g->spec, "bootrom", FIRMWARE "BHYVE_UEFI.fd");
	if (!guest_yes(g, "uefi_vars", ""))
		return;
	guest_put_format(g->spec, "varfile", "%s/uefi-vars.fd", g->directory);
	guest_put_text(g->spec, "varfile_template", FIRMWARE "BHYVE_UEFI_VARS.fd");
}

/* Adds the serial ports; the number of a port's nmdm is its place in the list. */
static void add_serial_ports(struct guest *g)
{
	WORDS_AUTO struct words ports = { 0 };

	guest_split(guest_get_or(g, "comports", "com1"), &ports);
	for (size_t i = 0; i < ports.count; i++) {
		const char *port = ports.item[i];

		if (strncmp(port, "com", 3) != 0 || port[3] < '1' ||
		    port[3] > '0' + SPEC_COM_PORTS || port[4] != '\0') {
			guest_fault(g, "comports",
			    "invalid port \"%s\": expected com1, com2, com3 or com4", port);
			continue;
		}
		guest_put_format(g->spec, port, "/dev/nmdm-%s.%zuA", g->name, i + 1);
		if (i == 0)
			g->console = mem_format("/dev/nmdm-%s.1A", g->name);
	}
}

static void add_identity(struct guest *g)
{
	const char *uuid = guest_word(g, "uuid");

	if (uuid != NULL && *uuid != '\0')
		guest_put_text(g->spec, "uuid", uuid);
	else
		guest_note(g,
		    "uuid: not set: vm-bhyve generates one at the first start, vmrun derives a "
		    "fixed "
		    "one from the name");
}

static void add_host_bridge(struct guest *g)
{
	const char *kind = guest_get_or(g, "hostbridge", "standard");

	if (strncmp(kind, "no", 2) == 0)
		guest_put_flag(g->spec, "hostbridge", false);
	else if (strcmp(kind, "amd") == 0)
		guest_put_text(g->spec, "hostbridge", "amd_hostbridge");
}

/* Keeps fw_cfg's interface where vm-bhyve writes it, which is not where bhyve reads it. */
static void add_fwcfg(struct guest *g)
{
	const char *type = guest_word(g, "fwcfg");

	if (type == NULL || *type == '\0')
		return;
	guest_put_config(g, "pci.0.31.0.fwcfg", type);
	guest_note(g,
	    "fwcfg: kept in \"config\" as vm-bhyve passes it, where bhyve does not read it: write "
	    "\"fwcfg_type\": \"%s\" if the guest is to have this interface",
	    type);
}

void guest_add_machine(struct guest *g)
{
	const char *memory = guest_word(g, "memory");

	add_cpu(g);
	if (memory == NULL || *memory == '\0')
		guest_fault(g, "memory", "missing: vm-bhyve does not start a guest without it");
	else
		guest_set_memory(g, "memory", memory);
	if (g->has_firmware)
		add_firmware(g);
	add_identity(g);
	add_host_bridge(g);
	add_fwcfg(g);
	add_serial_ports(g);
	guest_put_flag(g->spec, "exit_on_pause", true);
	guest_put_flag(g->spec, "ignore_unknown_msr", true);
	(void)guest_get(g, "ignore_msr"); /* -w is always there */
	(void)guest_get(g, "ignore_bad_msr");
	if (!guest_yes(g, "utctime", "yes"))
		guest_put_flag(g->spec, "utc_clock", false);
	if (guest_yes(g, "wired_memory", ""))
		guest_put_flag(g->spec, "wire_guest_mem", true);
}

/*
 * Adds what vm-bhyve does after an exit: 0 follows on_restart, 1 and 2 always end the guest, all
 * others follow on_fault (vm::handle_exit).  vmrun's own policy is that of the defaults.
 */
void guest_add_policy(struct guest *g)
{
	bool restarts = strcmp(guest_get_or(g, "on_restart", "restart"), "restart") == 0;
	bool survives = strcmp(guest_get_or(g, "on_fault", "shutdown"), "restart") == 0;
	struct node *on;

	if (restarts && !survives)
		return;
	on = node_new(NODE_OBJECT);
	if (!restarts)
		guest_put_text(on, "reboot", "stop");
	if (survives) {
		guest_put_text(on, "triple_fault", "same");
		guest_put_text(on, "error", "same");
		guest_put_text(on, "killed", "same");
		guest_note(g,
		    "on_fault: vmrun waits longer before each such boot (\"backoff\") and stops "
		    "after more than 5 boots within 30 seconds (\"restart_limit\"); vm-bhyve never "
		    "stops");
	}
	node_put(g->spec, "on", on);
}
