/* Rules between keys of the spec. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "platform/socket.h"
#include "spec/spec.h"

static void fault(struct decoder *d, const char *key, const char *text)
{
	struct where at = { NULL, key, 0 };

	report_add(d->report, STATUS_SPEC, &at, "%s", text);
}

/* Checks that only one port uses vmrun's stdin and stdout. */
static void check_stdio(const struct spec *spec, struct decoder *d)
{
	const char *owner = NULL;

	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		struct where at = { NULL, spec_com_key(i), 0 };

		if (spec->com[i] == NULL || strcmp(spec->com[i], "stdio") != 0)
			continue;
		if (owner != NULL)
			report_add(d->report, STATUS_SPEC, &at,
			    "\"stdio\" is taken by %s already: only one port can have it", owner);
		else
			owner = spec_com_key(i);
	}
}

/*
 * Checks that no two ports share a device: bhyve could not open the second, and its exit status
 * would be that of a power-off.
 */
static void check_shared_ports(const struct spec *spec, struct decoder *d)
{
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		struct where at = { NULL, spec_com_key(i), 0 };

		if (spec->com[i] == NULL || strcmp(spec->com[i], "stdio") == 0 ||
		    strcmp(spec->com[i], "nmdm") == 0)
			continue;
		for (size_t k = 0; k < i; k++) {
			if (spec->com[k] != NULL && strcmp(spec->com[k], spec->com[i]) == 0)
				report_add(d->report, STATUS_SPEC, &at, "%s has \"%s\" already",
				    spec_com_key(k), spec->com[i]);
		}
	}
}

/* Checks that nothing needs the lpc, if "lpc_slot" says that there is none. */
static void check_lpc(const struct spec *spec, struct decoder *d)
{
	static const char why[] =
	    "\"lpc_slot\" is false, and this needs the lpc: remove one of the two keys";
	static const char other_rom[] =
	    "\"config\" names the firmware, and this belongs to \"bootrom\": name the file in "
	    "\"config\", as \"bootvars\"";
	bool has_other_rom = pairs_get(&spec->config, "bootrom") != NULL;

	if (spec->lpc_slot.bus != 0)
		fault(d, "lpc_slot", "the lpc must be on bus 0");
	if (spec->lpc_slot.given || spec_arch(spec) == ARCH_ARM64)
		return;
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		if (spec->com[i] != NULL)
			fault(d, spec_com_key(i), why);
	}
	if (spec_has_rom(spec))
		fault(d, "bootrom", why);
	if (has_other_rom && spec->varfile != NULL)
		fault(d, "varfile", other_rom);
	if (has_other_rom && spec->varfile_template != NULL)
		fault(d, "varfile_template", other_rom);
	if (spec->pc_testdev)
		fault(d, "pc_testdev", why);
}

static void check_pin(const struct spec *spec, struct decoder *d)
{
	struct where list = { NULL, "pin", 0 };

	for (size_t i = 0; i < spec->pin.count; i++) {
		struct where at = { &list, NULL, i };

		/* bhyve silently ignores such a pin. */
		if (strtol(spec->pin.item[i], NULL, 10) >= cpu_count(&spec->cpu))
			report_add(d->report, STATUS_SPEC, &at,
			    "\"%s\": the guest has %" PRId64 " processors, counted from 0",
			    spec->pin.item[i], cpu_count(&spec->cpu));
	}
}

/* Marks the processors of "0-3,8".  Stops at the first error. */
static void take_cpus(const struct spec *spec, const struct numa_domain *domain,
    const struct where *at, int owner[], struct decoder *d)
{
	for (const char *p = domain->cpus; *p != '\0';) {
		char *end;
		long first = strtol(p, &end, 10), last = first;

		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (last >= cpu_count(&spec->cpu)) {
			report_add(d->report, STATUS_SPEC, at,
			    "\"%s\": the guest has %" PRId64 " processors, counted from 0",
			    domain->cpus, cpu_count(&spec->cpu));
			return;
		}
		for (; first <= last; first++) {
			if (owner[first] != 0) {
				report_add(d->report, STATUS_SPEC, at,
				    "processor %ld is in domain %d already", first,
				    owner[first] - 1);
				return;
			}
			owner[first] = (int)domain->id + 1;
		}
		p = *end == ',' ? end + 1 : end;
	}
}

/*
 * Checks that every processor is in one domain: guests ignore tables that leave one out, and see
 * one domain.
 */
static void check_numa_cpus(const struct spec *spec, struct decoder *d)
{
	struct where list = { NULL, "numa", 0 };
	const struct numa_domain *domain = spec->numa.item;
	MEM_AUTO int *owner = mem_zero((size_t)cpu_count(&spec->cpu) * sizeof(*owner));
	size_t before = d->report->count;

	for (size_t i = 0; i < spec->numa.count; i++) {
		struct where entry = { &list, NULL, i }, cpus = { &entry, "cpus", 0 };

		take_cpus(spec, &domain[i], &cpus, owner, d);
	}
	for (int64_t i = 0; i < cpu_count(&spec->cpu) && d->report->count == before; i++) {
		if (owner[i] == 0)
			report_add(d->report, STATUS_SPEC, &list,
			    "processor %" PRId64 " is in no domain: each must be in one", i);
	}
}

/* Checks the sizes.  bhyve uses them if all domains have one, and ignores all of them otherwise. */
static void check_numa_sizes(const struct spec *spec, struct decoder *d)
{
	struct where list = { NULL, "numa", 0 };
	const struct numa_domain *domain = spec->numa.item;
	int64_t count = (int64_t)spec->numa.count, sized = 0, sum = 0;

	if (count == 0)
		return;
	for (int64_t i = 0; i < count; i++) {
		sized += domain[i].size != 0 ? 1 : 0;
		sum += domain[i].size;
	}
	if (sized != 0 && sized != count)
		report_add(d->report, STATUS_SPEC, &list,
		    "%" PRId64 " of %" PRId64
		    " domains have a size: give it to all, or to none for "
		    "equal shares",
		    sized, count);
	else if (sized != 0 && sum != spec->mem)
		report_add(d->report, STATUS_SPEC, &list,
		    "the sizes of the domains are %" PRId64 " bytes together, but \"mem\" is "
		    "%" PRId64,
		    sum, spec->mem);
	else if (sized == 0 && spec->mem % (count * GUEST_PAGE) != 0)
		report_add(d->report, STATUS_SPEC, &list,
		    "%" PRId64 " bytes of memory give no equal shares of whole pages for %" PRId64
		    " domains: give each a size",
		    spec->mem, count);
}

/* Checks the domains.  bhyve reads the domains 0, 1, 2, ... up to the first missing one. */
static void check_numa(const struct spec *spec, struct decoder *d)
{
	struct where list = { NULL, "numa", 0 };
	const struct numa_domain *domain = spec->numa.item;
	unsigned seen = 0;

	if (spec->numa.count == 0)
		return;
	for (size_t i = 0; i < spec->numa.count; i++) {
		struct where entry = { &list, NULL, i }, id = { &entry, "id", 0 };

		if ((seen >> domain[i].id & 1) != 0)
			report_add(d->report, STATUS_SPEC, &id, "two domains have the id %" PRId64,
			    domain[i].id);
		else if ((size_t)domain[i].id >= spec->numa.count)
			report_add(d->report, STATUS_SPEC, &id,
			    "%zu domains have the ids 0 to %zu: %" PRId64 " would be ignored",
			    spec->numa.count, spec->numa.count - 1, domain[i].id);
		seen |= 1u << domain[i].id;
	}
	check_numa_cpus(spec, d);
	check_numa_sizes(spec, d);
	if (!spec->generate_acpi)
		fault(d, "numa",
		    "guests learn of domains from ACPI tables, and generate_acpi is off");
}

static void check_fwcfg(const struct spec *spec, struct decoder *d)
{
	struct where list = { NULL, "fwcfg", 0 };
	const struct fwcfg_item *item = spec->fwcfg.item;

	for (size_t i = 0; i < spec->fwcfg.count; i++) {
		struct where at = { &list, NULL, i }, name = { &at, "name", 0 };

		if ((item[i].string != NULL) == (item[i].file != NULL))
			report_add(d->report, STATUS_SPEC, &at,
			    "expected exactly one of \"string\" and \"file\": what the guest "
			    "reads");
		if (strchr(item[i].name, ',') != NULL)
			report_add(d->report, STATUS_SPEC, &name,
			    "\"%s\" holds a comma, at which bhyve's -f ends the name",
			    item[i].name);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(item[k].name, item[i].name) == 0)
				report_add(d->report, STATUS_SPEC, &name,
				    "two items have the name \"%s\"", item[i].name);
		}
	}
}

static void check_loader(const struct spec *spec, struct decoder *d)
{
	if (spec->loader.type == LOADER_NONE)
		return;
	if (spec_has_rom(spec))
		fault(d, "loader",
		    "this key and \"bootrom\" exclude each other: firmware or a loader starts the "
		    "guest");
	if (spec->varfile != NULL || spec->varfile_template != NULL)
		fault(d, "loader",
		    "\"varfile\" and its template are for firmware, which a loader replaces");
	if (spec->numa.count > 0)
		fault(d, "loader", "guests with \"numa\" domains need firmware");
}

/* Checks that nothing needs firmware, if "bootrom" says that there is none. */
static void check_rom(const struct spec *spec, struct decoder *d)
{
	static const char why[] =
	    "\"bootrom\" is false, and this key needs firmware: remove one of the two keys";

	if (spec->bootrom == NULL || spec_has_rom(spec))
		return;
	if (spec->varfile != NULL)
		fault(d, "varfile", why);
	if (spec->varfile_template != NULL)
		fault(d, "varfile_template", why);
}

static void check_kernel(const struct spec *spec, struct decoder *d)
{
	static const char why[] = "this is for a kernel that qemu boots: add \"kernel\"";
	struct where qemu = { NULL, "qemu", 0 };
	struct where initrd = { &qemu, "initrd", 0 }, append = { &qemu, "append", 0 };

	if (spec->qemu.kernel != NULL)
		return;
	if (spec->qemu.initrd != NULL)
		report_add(d->report, STATUS_SPEC, &initrd, "%s", why);
	if (spec->qemu.append != NULL)
		report_add(d->report, STATUS_SPEC, &append, "%s", why);
}

/* Returns why the variable must not be set, or NULL. */
static const char *variable_fault(const char *key)
{
	static const char *const ours[][2] = {
		{ "name", "bhyve takes the name from the end of its command: set \"name\"" },
		{ "config.dump",
		    "bhyve would print its variables and end, as if the guest had "
		    "powered off" },
		{ "monitor", "bhyve would boot again by itself, and vmrun would not know" },
	};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strcmp(key, ours[i][0]) == 0)
			return ours[i][1];
	}
	/*
	 * bhyve exits at an empty part of a name, and reads a line of its -k file that begins with
	 * `#` as a comment.
	 */
	if (*key == '\0' || *key == '.' || *key == '#' || strstr(key, "..") != NULL ||
	    strpbrk(key, "= \t\r\n") != NULL || key[strlen(key) - 1] == '.')
		return "invalid variable: expected names with dots between them";
	return NULL;
}

/* Returns whether bhyve reads the variable as a boolean (bhyve_config(5) and its sources). */
static bool is_boolean(const char *key)
{
	static const char *const booleans[] = { "acpi_tables", "acpi_tables_in_memory",
		"destroy_on_poweroff", "gdb.wait", "lpc.pc-testdev", "memory.guest_in_core",
		"memory.wired", "pci.enable_bars", "rtc.use_localtime", "virtio.msix",
		"virtio_msix", "x86.mptable", "x86.strictio", "x86.strictmsr", "x86.verbosemsr",
		"x86.vmexit_on_hlt", "x86.vmexit_on_pause", "x86.x2apic" };

	for (size_t i = 0; i < sizeof(booleans) / sizeof(booleans[0]); i++) {
		if (strcmp(booleans[i], key) == 0)
			return true;
	}
	return false;
}

/* Returns whether bhyve can read the value of a boolean (config.c). */
static bool is_truth(const char *value)
{
	static const char *const words[] = { "true", "on", "yes", "1", "false", "off", "no", "0" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(words[i], value) == 0)
			return true;
	}
	return false;
}

static void check_config(const struct spec *spec, struct decoder *d)
{
	struct where map = { NULL, "config", 0 };

	for (size_t i = 0; i < spec->config.count; i++) {
		struct where at = { &map, spec->config.item[i].key, 0 };
		const struct pair *p = &spec->config.item[i];
		const char *why = variable_fault(p->key);

		if (why != NULL)
			report_add(d->report, STATUS_SPEC, &at, "%s", why);
		/* bhyve exits when it reads the value, which may be when the guest powers off. */
		else if (is_boolean(p->key) && !is_truth(p->value))
			report_add(d->report, STATUS_SPEC, &at,
			    "invalid boolean \"%s\": expected true, on, yes, 1, false, off, no or "
			    "0",
			    p->value);
	}
}

static void check_waits(const struct spec *spec, struct decoder *d)
{
	struct where list = { NULL, "wait_for", 0 };
	const struct wait_item *item = spec->wait_for.item;

	for (size_t i = 0; i < spec->wait_for.count; i++) {
		struct where at = { &list, NULL, i };

		if ((item[i].path != NULL) == (item[i].interface != NULL))
			report_add(d->report, STATUS_SPEC, &at,
			    "expected exactly one of \"path\" and \"interface\": what to wait for");
	}
}

static void check_companions(const struct spec *spec, struct decoder *d)
{
	struct where list = { NULL, "companions", 0 };
	const struct companion *item = spec->companions.item;

	for (size_t i = 0; i < spec->companions.count; i++) {
		struct where at = { &list, NULL, i }, name = { &at, "name", 0 };

		for (size_t k = 0; k < i; k++) {
			if (strcmp(item[k].name, item[i].name) == 0)
				report_add(d->report, STATUS_SPEC, &name,
				    "two companions have the name \"%s\"", item[i].name);
		}
	}
}

static void check_tpm(const struct spec *spec, struct decoder *d)
{
	struct where tpm = { NULL, "tpm", 0 }, version = { &tpm, "version", 0 };

	if (spec->tpm.version != NULL && strcmp(spec->tpm.version, "2.0") != 0)
		report_add(d->report, STATUS_SPEC, &version,
		    "unknown version \"%s\": expected \"2.0\"", spec->tpm.version);
	if (spec->tpm.managed && spec->tpm.type != TPM_SWTPM)
		report_add(d->report, STATUS_SPEC, &tpm,
		    "\"managed\" starts swtpm: it needs \"type\": \"swtpm\"");
	/* For swtpm the path is that of a socket. */
	if (spec->tpm.type == TPM_SWTPM && spec->tpm.path != NULL &&
	    strlen(spec->tpm.path) > MAX_SOCKET_PATH)
		report_add(d->report, STATUS_SPEC, &tpm,
		    "\"%s\" has %zu bytes: the path of a socket can have at most %d",
		    spec->tpm.path, strlen(spec->tpm.path), MAX_SOCKET_PATH);
}

void spec_check_rules(const struct spec *spec, bool all_good, struct decoder *d)
{
	check_stdio(spec, d);
	check_shared_ports(spec, d);
	check_lpc(spec, d);
	check_loader(spec, d);
	check_rom(spec, d);
	check_config(spec, d);
	check_tpm(spec, d);
	spec_check_probes(spec, d);
	if (!all_good)
		return;
	check_pin(spec, d);
	check_numa(spec, d);
	check_fwcfg(spec, d);
	check_waits(spec, d);
	check_companions(spec, d);
	check_kernel(spec, d);
}
