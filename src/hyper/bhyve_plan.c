/*
 * bhyve's command: flags, devices, serial ports, firmware.  Facts: bhyve(8), bhyve_config(5) and
 * bhyve's sources of FreeBSD 13 to 15.
 */
#include "hyper/bhyve_plan.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/serial.h"
#include "hyper/firmware.h"
#include "platform/os.h"

#define ASSUMED_RELEASE 14 /* on a host without bhyve */
#define FIRST_ON_ARM64 15

struct bhyve_host bhyve_host_of(const struct spec *spec)
{
	struct bhyve_host host = { .release = (int)spec->bhyve.release,
		.loader = spec->loader.type != LOADER_NONE };

	host.arm64 = spec_arch(spec) == ARCH_ARM64;
	if (host.release == 0)
		host.release = os_bhyve_release();
	if (host.release == 0)
		host.release = host.arm64 ? FIRST_ON_ARM64 : ASSUMED_RELEASE;
	return host;
}

void bhyve_refuse(struct bhyve_build *b, const char *key, const char *why)
{
	struct where at = { NULL, key, 0 };

	report_add(b->report, STATUS_SPEC, &at, "%s", why);
}

static bool needs_wide_buses(const struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (!spec->devices[i]->removed && spec->devices[i]->slot.bus > 0)
			return true;
	}
	for (size_t i = 0; i < spec->config.count; i++) {
		const char *bus = str_after(spec->config.item[i].key, "pci.");

		if (bus != NULL && strtol(bus, NULL, 10) > 0)
			return true;
	}
	return spec->hostbridge != HOSTBRIDGE_NONE && spec->hostbridge_slot.bus > 0;
}

bool bhyve_is_wired(const struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (!spec->devices[i]->removed && spec->devices[i]->kind->wired)
			return true;
	}
	return spec->wire_guest_mem;
}

#define FLAG(letter, key, variable, value)                                \
	{                                                                 \
#key, letter, variable, value, offsetof(struct spec, key) \
	}

const struct bhyve_flag bhyve_flags[] = {
	FLAG('D', power_off_destroy_vm, "destroy_on_poweroff", "true"),
	FLAG('S', wire_guest_mem, "memory.wired", "true"),
	FLAG('W', force_msi, "virtio_msix", "false"),
	FLAG('C', guest_mem_in_core, "memory.guest_in_core", "true"),
	/* FreeBSD 15 accepts and ignores -A: its tables are on by default. */
	FLAG('A', generate_acpi, "acpi_tables", "true"),
	FLAG('H', yield_on_hlt, "x86.vmexit_on_hlt", "true"),
	FLAG('u', utc_clock, "rtc.use_localtime", "false"),
	FLAG('Y', disable_mptable_gen, "x86.mptable", "false"),
	FLAG('x', x2apic, "x86.x2apic", "true"),
	FLAG('e', strict_io, "x86.strictio", "true"),
	FLAG('w', ignore_unknown_msr, "x86.strictmsr", "false"),
	FLAG('P', exit_on_pause, "x86.vmexit_on_pause", "true"),
	{ 0 },
};

void bhyve_complete_flags(struct spec *spec)
{
	spec->wire_guest_mem = bhyve_is_wired(spec);
	if (spec_arch(spec) != ARCH_ARM64 && needs_wide_buses(spec))
		spec->disable_mptable_gen = true;
}

/* Returns whether a flag is on, because of its key or because bhyve fails without it. */
static bool is_on(const struct spec *spec, const struct bhyve_flag *flag)
{
	if (*(const bool *)((const char *)spec + flag->offset))
		return true;
	if (flag->offset == offsetof(struct spec, wire_guest_mem))
		return bhyve_is_wired(spec);
	/* bhyve refuses any bus above 0 beside an MP table (mptbl.c). */
	return flag->offset == offsetof(struct spec, disable_mptable_gen) && needs_wide_buses(spec);
}

static void add_flags(struct bhyve_build *b)
{
	const struct spec *s = b->spec;

	for (const struct bhyve_flag *f = bhyve_flags; f->key != NULL; f++) {
		bool foreign = b->host.arm64 && hyper_is_amd64_key(f->key);
		const char option[] = { '-', f->letter, '\0' };

		if (!is_on(s, f))
			continue;
		if (!foreign)
			bhyve_add_option(&b->out, option, NULL, f->variable, f->value);
		else if (spec_gives(s, f->key))
			bhyve_refuse(b, f->key, BHYVE_AMD64_ONLY);
	}
	if (!s->generate_acpi && b->host.release >= 15 && !b->host.arm64)
		bhyve_add_variable(&b->out, "acpi_tables", "false");
	if (!s->wire_guest_mem && bhyve_is_wired(s))
		words_add(&b->plan->notes, "passthru needs wired memory: wire_guest_mem is set");
	if (strcmp(s->uuid, UUID_NONE) != 0)
		bhyve_add_option(&b->out, "-U", s->uuid, "uuid", s->uuid);
}

const char *const *bhyve_amd_hostbridge(const struct bhyve_host *host)
{
	static const char *const of_13[] = { "device", "hostbridge", "vendor", "0x1022", "devid",
		"0x7432", NULL };
	static const char *const since_14[] = { "device", "hostbridge", "pcireg.vendor", "0x1022",
		"pcireg.device", "0x7432", NULL };

	return host->release < 14 ? of_13 : since_14;
}

static void add_hostbridge(struct bhyve_build *b)
{
	static const char *const intel[] = { "device", "hostbridge", NULL };
	const struct slot *at = &b->spec->hostbridge_slot;
	bool is_amd = b->spec->hostbridge == HOSTBRIDGE_AMD;
	MEM_AUTO char *conf = NULL;
	char slot[SLOT_TEXT];

	if (b->spec->hostbridge == HOSTBRIDGE_NONE)
		return;
	conf = MEM_JOIN(slot_text(at, slot), is_amd ? ",amd_hostbridge" : ",hostbridge");
	words_add(b->out.argv, "-s");
	words_add(b->out.argv, conf);
	if (b->out.config == NULL)
		return;
	for (const char *const *v = is_amd ? bhyve_amd_hostbridge(&b->host) : intel; *v != NULL;
	     v += 2) {
		MEM_AUTO char *key = bhyve_pci_key(at, v[0]);

		bhyve_set(&b->out, key, v[1]);
	}
}

static void add_lpc(struct bhyve_build *b)
{
	MEM_AUTO char *device = NULL, *conf = NULL;
	char slot[SLOT_TEXT];

	if (b->host.arm64) {
		if (spec_gives(b->spec, "lpc_slot") && b->spec->lpc_slot.given)
			bhyve_refuse(b, "lpc_slot", BHYVE_AMD64_ONLY);
		return;
	}
	if (!b->spec->lpc_slot.given)
		return;
	device = bhyve_pci_key(&b->spec->lpc_slot, "device");
	conf = MEM_JOIN(slot_text(&b->spec->lpc_slot, slot), ",lpc");
	bhyve_add_option(&b->out, "-s", conf, device, "lpc");
}

/* Plans the file of bhyve_config(5) for a secret, which must not appear in a process list. */
static void add_secret(struct bhyve_build *b, const struct device *dev)
{
	struct device_secret secret;
	MEM_AUTO char *key = NULL;

	if (dev->kind->secret == NULL || !dev->kind->secret(dev, &secret))
		return;
	key = bhyve_pci_key(&dev->slot, secret.variable);
	hyper_plan_secret(b->request, &secret, key, b->plan);
}

static int add_device(struct bhyve_build *b, const struct device *dev, struct error *err)
{
	PAIRS_AUTO struct pairs vars = { 0 };
	char slot[SLOT_TEXT];
	int rc;

	if (dev->kind->verbatim != NULL) {
		const char *text = dev->kind->verbatim(dev);

		words_add(b->out.argv, "-s");
		words_addf(b->out.argv, "%s,%s", slot_text(&dev->slot, slot), text);
		if (b->out.config != NULL)
			words_addf(&b->plan->remarks,
			    "-s %s,%s: raw devices cannot be written as variables", slot, text);
		return 0;
	}
	if (dev->kind->amd64_only && b->host.arm64)
		return error_set(err, STATUS_SPEC, "bhyve has %s on amd64 only", dev->kind->name);
	rc = dev->kind->bhyve(dev, &b->host, &vars, err);
	if (rc == 0) {
		bhyve_add_device(&b->out, &dev->slot, dev->kind->form, &vars);
		add_secret(b, dev);
	}
	return rc;
}

static void add_devices(struct bhyve_build *b)
{
	for (size_t i = 0; i < b->spec->device_count; i++) {
		const struct device *dev = b->spec->devices[i];
		struct device_place place;
		struct error err = { 0 };

		if (!dev->removed && add_device(b, dev, &err) != 0)
			report_take(b->report, device_where(dev, &place), &err);
	}
	if (b->plan->secret_path != NULL) {
		words_add(b->out.argv, "-k");
		words_add(b->out.argv, b->plan->secret_path);
	}
}

static void add_serial(struct bhyve_build *b)
{
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		const char *com = spec_com(b->spec, i), *key = spec_com_key(i);

		if (com == NULL)
			continue;
		if (serial_tcp_place(com) != NULL && b->host.release < 15)
			bhyve_refuse(b, key, "\"tcp=\" needs FreeBSD 15");
		if (!b->host.arm64) {
			MEM_AUTO char *path = bhyve_escape(com);
			MEM_AUTO char *conf = MEM_JOIN(key, ",", path);
			MEM_AUTO char *variable = MEM_JOIN("lpc.", key, ".path");

			bhyve_add_option(&b->out, "-l", conf, variable, com);
		} else if (i == 0) {
			bhyve_add_variable(&b->out, "console", com);
		} else {
			bhyve_refuse(b, key, "a bhyve guest on arm64 has one serial port, com1");
		}
	}
}

/*
 * Returns whether -l bootrom,ROM,VARS can have the path: bhyve splits it at commas, and VARS at `=`
 * since FreeBSD 14.
 */
static bool is_plain(const char *path)
{
	return path == NULL || strpbrk(path, ",=") == NULL;
}

static const char *find_rom(const struct bhyve_build *b)
{
	const struct spec *s = b->spec;

	if (spec_has_rom(s))
		return s->bootrom;
	return plan_firmware(b->plan,
	    b->host.arm64	     ? firmware_bhyve_arm64
		: s->varfile != NULL ? firmware_bhyve_code
				     : firmware_bhyve_amd64);
}

static void plan_varfile(struct bhyve_build *b, const char *rom)
{
	const struct spec *s = b->spec;

	if (s->varfile == NULL)
		return;
	if (b->host.arm64) {
		bhyve_refuse(b, "varfile", BHYVE_AMD64_ONLY);
		return;
	}
	b->plan->varfile_template =
	    s->varfile_template != NULL ? mem_copy(s->varfile_template) : firmware_template(rom);
	if (b->plan->varfile_template == NULL && firmware_is_bhyve(rom))
		b->plan->varfile_template = mem_copy(plan_firmware(b->plan, firmware_bhyve_vars));
	b->plan->varfile = mem_copy(s->varfile);
}

static void add_firmware(struct bhyve_build *b)
{
	const struct spec *s = b->spec;
	const char *rom = find_rom(b), *vars = s->varfile;
	const char *below = b->host.release >= 15 || b->host.arm64 ? "" : "lpc.";
	MEM_AUTO char *rom_key = MEM_JOIN(below, "bootrom");
	MEM_AUTO char *vars_key = MEM_JOIN(below, "bootvars");

	if (!s->lpc_slot.given && !b->host.arm64)
		bhyve_refuse(b, "lpc_slot",
		    "without an lpc bhyve runs no firmware: name a \"loader\", or remove this key");
	if (s->bootrom != NULL && !spec_has_rom(s))
		bhyve_refuse(b, "bootrom",
		    "bhyve has no BIOS of its own: name firmware or a \"loader\", or run vmrun "
		    "with --hypervisor qemu, which has one");
	b->plan->bootrom = mem_copy(rom);
	plan_varfile(b, rom);
	if (!b->host.arm64 && is_plain(rom) && is_plain(vars)) {
		MEM_AUTO char *r = bhyve_escape(rom);
		MEM_AUTO char *v = bhyve_escape(vars == NULL ? "" : vars);
		MEM_AUTO char *conf = MEM_JOIN("bootrom,", r, *v == '\0' ? "" : ",", v);

		bhyve_add_option(&b->out, "-l", conf, rom_key, rom);
		if (vars != NULL)
			bhyve_set(&b->out, vars_key, vars);
		return;
	}
	bhyve_add_variable(&b->out, rom_key, rom);
	if (vars != NULL)
		bhyve_add_variable(&b->out, vars_key, vars);
}

static void add_tpm(struct bhyve_build *b)
{
	static const char *const types[] = {
		[TPM_NONE] = "",
		[TPM_PASSTHRU] = "passthru",
		[TPM_SWTPM] = "swtpm",
	};
	const struct tpm *tpm = &b->spec->tpm;
	const char *type = types[tpm->type];

	_Static_assert(sizeof(types) / sizeof(types[0]) == TPM_TYPES, "a word for each");

	if (tpm->type == TPM_NONE)
		return;
	if (b->host.arm64)
		bhyve_refuse(b, "tpm", BHYVE_AMD64_ONLY);
	else if (b->host.release < (tpm->type == TPM_SWTPM ? 15 : 14))
		bhyve_refuse(b, "tpm",
		    tpm->type == TPM_SWTPM ? "bhyve has swtpm since FreeBSD 15"
					   : "bhyve has this since FreeBSD 14");
	if (strchr(tpm->path, ',') == NULL) {
		MEM_AUTO char *path = bhyve_escape(tpm->path);
		MEM_AUTO char *conf = mem_format("tpm,%s,%s,version=2.0", type, path);

		bhyve_add_option(&b->out, "-l", conf, "tpm.type", type);
		bhyve_set(&b->out, "tpm.path", tpm->path);
		bhyve_set(&b->out, "tpm.version", "2.0");
		return;
	}
	bhyve_add_variable(&b->out, "tpm.type", type);
	bhyve_add_variable(&b->out, "tpm.path", tpm->path);
	bhyve_add_variable(&b->out, "tpm.version", "2.0");
}

static bool is_below(const char *key, const char *parent)
{
	const char *rest = str_after(key, parent);

	return rest != NULL && *rest == '.';
}

/* Refuses a variable with a value that has others below it, at which bhyve exits (config.c). */
static void check_config_key(struct bhyve_build *b, const char *key)
{
	/* Variables that bhyve sets before it reads its command. */
	static const char *const defaults[] = { "acpi_tables", "acpi_tables_in_memory",
		"memory.size", "x86.strictmsr", "x86.verbosemsr", "lpc.fwcfg" };
	const size_t known = sizeof(defaults) / sizeof(defaults[0]);
	struct where map = { NULL, "config", 0 }, at = { &map, key, 0 };

	for (size_t i = 0; i < known + b->out.config->count; i++) {
		const char *other = i < known ? defaults[i] : b->out.config->item[i - known].key;

		if (is_below(key, other) || is_below(other, key)) {
			report_add(b->report, STATUS_SPEC, &at,
			    "this variable and \"%s\" exclude each other: a variable with a value "
			    "cannot have others below it",
			    other);
			return;
		}
	}
}

static void add_config(struct bhyve_build *b)
{
	for (size_t i = 0; i < b->spec->config.count; i++) {
		const struct pair *p = &b->spec->config.item[i];

		check_config_key(b, p->key);
		bhyve_add_variable(&b->out, p->key, p->value);
	}
}

static void add_words(struct bhyve_build *b, const struct words *more)
{
	MEM_AUTO char *line = NULL;

	if (more == NULL || more->count == 0)
		return;
	words_append(b->out.argv, more);
	if (b->out.config == NULL)
		return;
	line = words_shell_line(more);
	words_addf(&b->plan->remarks, "%s: further words cannot be written as variables", line);
}

/* Refuses a kernel, which only qemu boots without a loader. */
static void refuse_kernel(struct bhyve_build *b)
{
	struct where qemu = { NULL, "qemu", 0 }, at = { &qemu, "kernel", 0 };

	if (b->spec->qemu.kernel != NULL)
		report_add(b->report, STATUS_SPEC, &at,
		    "bhyve cannot boot a kernel from a file: run vmrun with --hypervisor qemu, or "
		    "remove this key and boot from a disk, by firmware or a \"loader\"");
}

/* Adds the remark that no variable can express the words before the command. */
static void add_prefix_remark(struct bhyve_build *b)
{
	MEM_AUTO char *line = NULL;

	if (b->spec->prefix.count == 0 || b->out.config == NULL)
		return;
	line = words_shell_line(&b->spec->prefix);
	words_addf(&b->plan->remarks, "%s: the prefix cannot be written as variables", line);
}

int bhyve_plan(const struct plan_request *request, struct plan *plan, struct report *report)
{
	const struct spec *spec = request->spec;
	/* Keys of `config` are compared with the variables that the other keys set. */
	bool wants_variables = !request->argv_only || spec->config.count > 0;
	struct bhyve_build b = { request, spec, bhyve_host_of(spec),
		{ &plan->argv, wants_variables ? &plan->config : NULL }, plan, report };
	size_t before = report->count;

	b.host.notes = &plan->notes;
	plan->hyper = &hyper_bhyve;
	plan->vm = mem_copy(spec->name);
	if (b.host.arm64 && b.host.release < FIRST_ON_ARM64)
		bhyve_refuse(&b, "bhyve", "bhyve on arm64 needs FreeBSD 15");
	hyper_begin(request, plan, "bhyve");
	hyper_drop_amd64_keys(spec, plan);
	add_prefix_remark(&b);
	refuse_kernel(&b);
	bhyve_add_guest(&b);
	add_flags(&b);
	add_hostbridge(&b);
	add_lpc(&b);
	add_devices(&b);
	spec_check_claims(spec, CLAIM_PORT_NAME, report);
	add_serial(&b);
	if (spec->loader.type != LOADER_NONE)
		bhyve_add_loader(&b);
	/* Since FreeBSD 15 bhyve loads firmware without an lpc: then `config` can name it. */
	else if (b.host.release < 15 || spec->lpc_slot.given ||
	    pairs_get(&spec->config, "bootrom") == NULL)
		add_firmware(&b);
	add_tpm(&b);
	add_words(&b, &spec->extra_options);
	add_words(&b, &spec->bhyve.args);
	add_config(&b);
	add_words(&b, request->extra);
	words_add(b.out.argv, spec->name);
	bhyve_set(&b.out, "name", spec->name);
	hyper_finish(request, plan);
	return report->count == before ? 0 : -1;
}
