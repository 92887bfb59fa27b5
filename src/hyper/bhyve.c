/* bhyve: its command line, its exit statuses, its power button.  Facts: bhyve(8), bhyve_config(5)
 * and bhyve's sources of FreeBSD 13 to 15. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "hyper/bhyve_words.h"
#include "hyper/firmware.h"
#include "hyper/hyper.h"
#include "platform/os.h"
#include "platform/spawn.h"

#define ASSUMED_RELEASE 14 /* where bhyve does not run here */
#define FIRST_ON_ARM64 15

/* One plan in the making. */
struct build {
	const struct spec *spec;
	struct bhyve_host host;
	struct words *argv;
	struct plan *plan;
	struct report *report;
};

static struct bhyve_host find_host(const struct spec *spec)
{
	struct bhyve_host host = { .release = (int)spec->bhyve.release };

	host.arm64 = spec->bhyve.arch == 2 ||
	    (spec->bhyve.arch == 0 && os_bhyve_release() != 0 && strcmp(os_arch(), "arm64") == 0);
	if (host.release == 0)
		host.release = os_bhyve_release();
	if (host.release == 0)
		host.release = host.arm64 ? FIRST_ON_ARM64 : ASSUMED_RELEASE;
	/* Releases beyond what is known here behave like the newest known one. */
	if (host.release > 15)
		host.release = 15;
	return host;
}

static void refuse(struct build *b, const char *key, const char *why)
{
	struct where at = { NULL, key, 0 };

	report_add(b->report, STATUS_SPEC, &at, "%s", why);
}

static void add_cpu_and_memory(struct build *b)
{
	const struct spec *spec = b->spec;
	bool whole = spec->mem % (1 << 20) == 0;

	words_add(b->argv, "-c");
	words_addf(b->argv,
	    "cpus=%" PRId64 ",sockets=%" PRId64 ",cores=%" PRId64 ",threads=%" PRId64,
	    cpu_count(&spec->cpu), spec->cpu.sockets, spec->cpu.cores, spec->cpu.threads);
	words_add(b->argv, "-m");
	words_addf(
	    b->argv, "%" PRId64 "%c", whole ? spec->mem >> 20 : spec->mem >> 10, whole ? 'M' : 'K');
}

static bool needs_wide_buses(const struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (!spec->devices[i]->removed && spec->devices[i]->slot.bus > 0)
			return true;
	}
	return spec->hostbridge != HOSTBRIDGE_NONE && spec->hostbridge_slot.bus > 0;
}

/* Flags that exist on both architectures, then those of amd64. */
static void add_flags(struct build *b)
{
	const struct spec *s = b->spec;
	const struct {
		const char *key, *flag;
		bool on, amd64;
		bool by_default; /* left out on arm64 without a word */
	} flags[] = {
		{ "power_off_destroy_vm", "-D", s->power_off_destroy_vm, false, false },
		{ "wire_guest_mem", "-S", s->wire_guest_mem, false, false },
		{ "force_msi", "-W", s->force_msi, false, false },
		{ "guest_mem_in_core", "-C", s->guest_mem_in_core, false, false },
		/* FreeBSD 15 accepts -A and does nothing: its tables are on by default. */
		{ "generate_acpi", "-A", s->generate_acpi, true, true },
		{ "yield_on_hlt", "-H", s->yield_on_hlt, true, true },
		{ "utc_clock", "-u", s->utc_clock, true, true },
		/* Without it, bhyve refuses any bus above 0 (mptbl.c). */
		{ "disable_mptable_gen", "-Y", s->disable_mptable_gen || needs_wide_buses(s), true,
		    false },
		{ "x2apic", "-x", s->x2apic, true, false },
		{ "strict_io", "-e", s->strict_io, true, false },
		{ "ignore_unknown_msr", "-w", s->ignore_unknown_msr, true, false },
		{ "exit_on_pause", "-P", s->exit_on_pause, true, false },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool fits = !(flags[i].amd64 && b->host.arm64);

		if (flags[i].on && fits)
			words_add(b->argv, flags[i].flag);
		else if (flags[i].on && !flags[i].by_default && strcmp(flags[i].flag, "-Y") != 0)
			refuse(b, flags[i].key, "bhyve has this on amd64 only");
	}
	if (!s->generate_acpi && b->host.release >= 15 && !b->host.arm64)
		bhyve_variable(b->argv, "acpi_tables", "false");
	words_add(b->argv, "-U");
	words_add(b->argv, s->uuid);
}

static void add_bridges(struct build *b)
{
	const struct spec *spec = b->spec;
	char slot[SLOT_TEXT];

	if (spec->hostbridge != HOSTBRIDGE_NONE) {
		words_add(b->argv, "-s");
		words_addf(b->argv, "%s,%s", slot_text(&spec->hostbridge_slot, slot),
		    spec->hostbridge == HOSTBRIDGE_AMD ? "amd_hostbridge" : "hostbridge");
	}
	if (!b->host.arm64) {
		words_add(b->argv, "-s");
		words_addf(b->argv, "%s,lpc", slot_text(&spec->lpc_slot, slot));
	}
}

static void add_devices(struct build *b)
{
	for (size_t i = 0; i < b->spec->device_count; i++) {
		const struct device *dev = b->spec->devices[i];
		const struct device_kind *kind = dev->kind;
		struct where list = { NULL, "emulations", 0 }, at = { &list, NULL, dev->index };
		struct error err = { 0 };
		struct pairs vars = { 0 };
		char slot[SLOT_TEXT];

		if (dev->removed)
			continue;
		if (kind->verbatim != NULL) {
			words_add(b->argv, "-s");
			words_addf(
			    b->argv, "%s,%s", slot_text(&dev->slot, slot), kind->verbatim(dev));
		} else if (kind->bhyve(dev, &b->host, &vars, &err) != 0) {
			report_take(b->report, &at, &err);
		} else {
			bhyve_device(b->argv, &dev->slot, kind->form, &vars);
		}
		if (kind->sockets != NULL)
			kind->sockets(dev, &b->plan->sockets);
		pairs_free(&vars);
	}
}

static void add_serial(struct build *b)
{
	static const char *const keys[] = { "com1", "com2", "com3", "com4" };

	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		const char *com = b->spec->com[i];

		if (com == NULL)
			continue;
		if (strcmp(com, "stdio") == 0)
			b->plan->uses_stdio = true;
		if (strncmp(com, "tcp=", 4) == 0 && b->host.release < 15)
			refuse(b, keys[i], "\"tcp=\" needs FreeBSD 15");
		if (!b->host.arm64) {
			MEM_AUTO char *path = bhyve_escape(com);

			words_add(b->argv, "-l");
			words_addf(b->argv, "%s,%s", keys[i], path);
		} else if (i == 0) {
			bhyve_variable(b->argv, "console", com);
		} else {
			refuse(b, keys[i], "a bhyve guest on arm64 has one serial port, com1");
		}
	}
}

/* A path that -l bootrom,ROM,VARS cannot say: it is split at commas, and VARS at `=` (14+). */
static bool is_plain(const char *path)
{
	return path == NULL || strpbrk(path, ",=") == NULL;
}

static void add_firmware(struct build *b)
{
	const struct spec *s = b->spec;
	const char *rom = s->bootrom;
	const char *below = b->host.release >= 15 || b->host.arm64 ? "" : "lpc.";
	const char *template = s->varfile_template;

	if (rom == NULL)
		rom = firmware_first(b->host.arm64 ? firmware_bhyve_arm64
			: s->varfile != NULL	   ? firmware_bhyve_code
						   : firmware_bhyve_amd64,
		    true);
	b->plan->bootrom = mem_copy(rom);
	if (s->varfile != NULL && b->host.arm64) {
		refuse(b, "varfile", "bhyve has this on amd64 only");
	} else if (s->varfile != NULL) {
		if (template == NULL)
			template = firmware_first(firmware_bhyve_vars, true);
		b->plan->copy_from = mem_copy(template);
		b->plan->copy_to = mem_copy(s->varfile);
	}
	if (!b->host.arm64 && is_plain(rom) && is_plain(s->varfile)) {
		MEM_AUTO char *r = bhyve_escape(rom);
		MEM_AUTO char *v = bhyve_escape(s->varfile == NULL ? "" : s->varfile);

		words_add(b->argv, "-l");
		words_addf(b->argv, "bootrom,%s%s%s", r, *v == '\0' ? "" : ",", v);
		return;
	}
	MEM_AUTO char *rom_key = mem_format("%sbootrom", below);
	MEM_AUTO char *vars_key = mem_format("%sbootvars", below);

	bhyve_variable(b->argv, rom_key, rom);
	if (s->varfile != NULL)
		bhyve_variable(b->argv, vars_key, s->varfile);
}

static int bhyve_plan(const struct plan_request *request, struct plan *plan, struct report *report)
{
	const struct spec *spec = request->spec;
	struct build b = { spec, find_host(spec), &plan->argv, plan, report };
	size_t before = report->count;

	plan->hyper = &hyper_bhyve;
	plan->vm = mem_copy(spec->name);
	if (b.host.arm64 && b.host.release < FIRST_ON_ARM64)
		refuse(&b, "bhyve", "bhyve on arm64 needs FreeBSD 15");
	words_add(b.argv, request->program != NULL ? request->program : "bhyve");
	add_cpu_and_memory(&b);
	add_flags(&b);
	add_bridges(&b);
	add_devices(&b);
	hyper_check_claims(spec, "port name", report);
	add_serial(&b);
	add_firmware(&b);
	words_append(b.argv, &spec->extra_options);
	words_append(b.argv, &spec->bhyve.args);
	if (request->extra != NULL)
		words_append(b.argv, request->extra);
	words_add(b.argv, spec->name);
	return report->count == before ? 0 : -1;
}

static const char *bhyve_hear(struct signs *signs, enum channel channel, const char *line)
{
	(void)signs;
	(void)channel;
	(void)line;
	return NULL;
}

/* bhyve(8) EXIT STATUS. */
static void bhyve_explain(
    const struct signs *signs, const struct process_end *end, struct outcome *out)
{
	(void)signs;
	out->status = end->status;
	out->signal = end->signal;
	if (end->signal != 0)
		out->cause = CAUSE_KILLED;
	else if (end->status <= 3)
		out->cause = (enum cause)end->status;
	else
		out->cause = CAUSE_ERROR;
	out->failed_start =
	    end->status == 1 || end->status == 4 || end->status == 64 || end->status == 71;
}

static void bhyvectl(struct words *command, const char *vm, const char *operation)
{
	words_add(command, "bhyvectl");
	words_addf(command, "--vm=%s", vm);
	words_add(command, operation);
}

/*
 * SIGTERM is the power button once the guest has ACPI on, and kills before that (pm.c);
 * --force-poweroff works without the guest.
 */
static void bhyve_power(const struct plan *plan, enum stop_action action, struct power *out)
{
	switch (action) {
	case STOP_ACPI:
		out->signal = SIGTERM;
		break;
	case STOP_POWEROFF:
		bhyvectl(&out->helper, plan->vm, "--force-poweroff");
		break;
	case STOP_KILL:
		out->signal = SIGKILL;
		break;
	}
}

/* The kernel keeps /dev/vmm/NAME, and the guest's memory with it, until somebody destroys it. */
static void bhyve_destroy(const struct plan *plan, struct words *command)
{
	if (os_vm_exists(plan->vm))
		bhyvectl(command, plan->vm, "--destroy");
}

const struct hypervisor hyper_bhyve = {
	.name = "bhyve",
	.plan = bhyve_plan,
	.hear = bhyve_hear,
	.explain = bhyve_explain,
	.power = bhyve_power,
	.destroy = bhyve_destroy,
};
