/*
 * The options of bhyve for the guest itself: processors, memory and its domains, debugger,
 * keyboard, fw_cfg, SMBIOS.  Facts: bhyve(8), bhyve_config(5) and bhyve's sources.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "hyper/bhyve_plan.h"

#define MAX_CPUS_FREEBSD_13 256

/* Returns whether this bhyve has the key.  Otherwise reports the reason. */
static bool has(struct bhyve_build *b, const char *key, int since)
{
	if (b->host.arm64) {
		bhyve_refuse(b, key, BHYVE_AMD64_ONLY);
		return false;
	}
	if (b->host.release >= since)
		return true;
	MEM_AUTO char *why =
	    mem_format("bhyve has this since FreeBSD %d, and the command is for FreeBSD %d", since,
		b->host.release);

	bhyve_refuse(b, key, why);
	return false;
}

static void add_cpu(struct bhyve_build *b)
{
	const struct cpu *cpu = &b->spec->cpu;
	struct str topology = { 0 };

	str_add(&topology, "cpus=");
	str_add_int(&topology, cpu_count(cpu));
	str_add(&topology, ",sockets=");
	str_add_int(&topology, cpu->sockets);
	str_add(&topology, ",cores=");
	str_add_int(&topology, cpu->cores);
	str_add(&topology, ",threads=");
	str_add_int(&topology, cpu->threads);
	words_add(b->out.argv, "-c");
	words_take(b->out.argv, str_take(&topology));
	if (b->out.config == NULL)
		return;
	pairs_addf(b->out.config, "cpus", "%" PRId64, cpu_count(cpu));
	pairs_addf(b->out.config, "sockets", "%" PRId64, cpu->sockets);
	pairs_addf(b->out.config, "cores", "%" PRId64, cpu->cores);
	pairs_addf(b->out.config, "threads", "%" PRId64, cpu->threads);
}

char *bhyve_size(int64_t bytes)
{
	bool whole = bytes % (1 << 20) == 0;
	struct str size = { 0 };

	str_add_int(&size, whole ? bytes >> 20 : bytes >> 10);
	str_add_char(&size, whole ? 'M' : 'K');
	return str_take(&size);
}

static void add_memory(struct bhyve_build *b)
{
	MEM_AUTO char *size = bhyve_size(b->spec->mem);

	bhyve_add_option(&b->out, "-m", size, "memory.size", size);
}

/* Checks the CPU of a pin: CPU_SETSIZE was 256 before FreeBSD 14. */
static void check_pin(struct bhyve_build *b, size_t i)
{
	const char *pin = b->spec->pin.item[i];
	struct where list = { NULL, "pin", 0 }, at = { &list, NULL, i };

	if (b->host.release < 14 && strtol(strchr(pin, ':') + 1, NULL, 10) >= MAX_CPUS_FREEBSD_13)
		report_add(b->report, STATUS_SPEC, &at,
		    "\"%s\": bhyve of FreeBSD 13 knows the CPUs 0 to %d", pin,
		    MAX_CPUS_FREEBSD_13 - 1);
}

/* Adds an option for each pin, and a variable for all pins of a processor. */
static void add_pins(struct bhyve_build *b)
{
	const struct words *pin = &b->spec->pin;

	for (size_t i = 0; i < pin->count; i++) {
		long vcpu = strtol(pin->item[i], NULL, 10);
		STR_AUTO struct str set = { 0 };
		bool is_first = true;

		check_pin(b, i);
		words_add(b->out.argv, "-p");
		words_add(b->out.argv, pin->item[i]);
		for (size_t k = 0; k < pin->count; k++) {
			if (strtol(pin->item[k], NULL, 10) != vcpu)
				continue;
			is_first = is_first && k >= i;
			str_addf(
			    &set, "%s%s", set.length > 0 ? "," : "", strchr(pin->item[k], ':') + 1);
		}
		if (is_first) {
			MEM_AUTO char *key = mem_format("vcpu.%ld.cpuset", vcpu);

			bhyve_set(&b->out, key, set.text);
		}
	}
}

/*
 * Adds memory domains as variables, because -n is split at commas, even within a list of processors
 * or a policy.
 */
static void add_domains(struct bhyve_build *b)
{
	const struct numa_domain *domain = b->spec->numa.item;

	if (b->spec->numa.count == 0 || !has(b, "numa", 15))
		return;
	for (size_t i = 0; i < b->spec->numa.count; i++) {
		MEM_AUTO char *size = mem_format("domains.%" PRId64 ".size", domain[i].id);
		MEM_AUTO char *cpus = mem_format("domains.%" PRId64 ".cpus", domain[i].id);
		MEM_AUTO char *policy =
		    mem_format("domains.%" PRId64 ".domain_policy", domain[i].id);

		if (domain[i].size != 0) {
			MEM_AUTO char *text = bhyve_size(domain[i].size);

			bhyve_add_variable(&b->out, size, text);
		}
		bhyve_add_variable(&b->out, cpus, domain[i].cpus);
		if (domain[i].domain_policy != NULL)
			bhyve_add_variable(&b->out, policy, domain[i].domain_policy);
	}
}

static void add_gdb(struct bhyve_build *b)
{
	const char *text = b->spec->gdb, *colon;
	MEM_AUTO char *escaped = text == NULL ? NULL : bhyve_escape(text);

	if (text == NULL)
		return;
	if (b->host.arm64 && b->host.release < 16) {
		bhyve_refuse(b, "gdb", "bhyve on arm64 has no -G before FreeBSD 16");
		return;
	}
	words_add(b->out.argv, "-G");
	words_add(b->out.argv, escaped);
	if (*text == 'w')
		bhyve_set(&b->out, "gdb.wait", "true");
	text += *text == 'w' ? 1 : 0;
	colon = strrchr(text, ':');
	if (colon != NULL) {
		MEM_AUTO char *address = mem_copy_n(text, (size_t)(colon - text));

		bhyve_set(&b->out, "gdb.address", address);
	}
	bhyve_set(&b->out, "gdb.port", colon != NULL ? colon + 1 : text);
}

static bool has_bootindex(const struct spec *spec)
{
	bool found = false;

	for (size_t i = 0; i < spec->device_count && !found; i++) {
		const struct device *dev = spec->devices[i];
		PAIRS_AUTO struct pairs claims = { 0 };

		if (!dev->removed && dev->kind->claims != NULL && !dev->kind->no_boot_order)
			dev->kind->claims(dev, &claims);
		found = pairs_get(&claims, CLAIM_BOOT_INDEX) != NULL;
	}
	return found;
}

/*
 * Returns whether QEMU's interface is needed: without it, items and boot order do not reach the
 * guest.
 */
static bool wants_qemu_fwcfg(struct bhyve_build *b)
{
	const struct spec *spec = b->spec;
	const char *who = spec->fwcfg.count > 0 ? "fwcfg" : "bootindex";

	if ((spec->fwcfg.count == 0 && !has_bootindex(spec)) || b->host.arm64 ||
	    b->host.release < 14)
		return false;
	if (spec->fwcfg_type == FWCFG_BHYVE && spec->fwcfg.count == 0) {
		words_add(&b->plan->notes,
		    "the guest does not see the boot order of \"bootindex\", because fwcfg_type is "
		    "\"bhyve\"");
		return false;
	}
	if (spec->fwcfg_type == FWCFG_BHYVE) {
		bhyve_refuse(b, "fwcfg_type",
		    "with \"bhyve\" the guest never sees \"fwcfg\": it needs \"qemu\"");
	} else if (spec->fwcfg_type == FWCFG_UNSET) {
		words_addf(
		    &b->plan->notes, "%s needs QEMU's fw_cfg: fwcfg_type is set to qemu", who);
	}
	return true;
}

static void add_fwcfg(struct bhyve_build *b)
{
	static const char *const types[] = {
		[FWCFG_UNSET] = "",
		[FWCFG_BHYVE] = "bhyve",
		[FWCFG_QEMU] = "qemu",
	};

	_Static_assert(sizeof(types) / sizeof(types[0]) == FWCFG_TYPES, "a word for each");
	const struct fwcfg_item *item = b->spec->fwcfg.item;
	int type = wants_qemu_fwcfg(b) ? FWCFG_QEMU : b->spec->fwcfg_type;

	if (type != FWCFG_UNSET && (b->spec->fwcfg_type == FWCFG_UNSET || has(b, "fwcfg_type", 14)))
		bhyve_add_variable(&b->out, "lpc.fwcfg", types[type]);
	if (b->spec->fwcfg.count == 0 || !has(b, "fwcfg", 14))
		return;
	for (size_t i = 0; i < b->spec->fwcfg.count; i++) {
		words_add(b->out.argv, "-f");
		words_addf(b->out.argv, "name=%s,%s=%s", item[i].name,
		    item[i].string != NULL ? "string" : "file",
		    item[i].string != NULL ? item[i].string : item[i].file);
		if (b->out.config != NULL)
			words_addf(&b->plan->remarks, "-f name=%s,...: fwcfg has no variables",
			    item[i].name);
	}
}

static void add_smbios(struct bhyve_build *b)
{
	bool good = false;

	for (const struct field *g = smbios_fields; g->key != NULL; g++) {
		for (const struct field *f = g->rows; f->key != NULL; f++) {
			const char *value =
			    *(char *const *)((const char *)&b->spec->smbios + f->offset);

			if (value == NULL)
				continue;
			good = good || has(b, "smbios", 14);
			if (!good)
				return;
			MEM_AUTO char *key = mem_format("%s.%s", g->key, f->key);

			bhyve_add_variable(&b->out, key, value);
		}
	}
}

void bhyve_add_guest(struct bhyve_build *b)
{
	const struct spec *s = b->spec;

	add_cpu(b);
	add_memory(b);
	add_pins(b);
	add_gdb(b);
	if (s->keyboard_layout != NULL && has(b, "keyboard_layout", 13)) {
		MEM_AUTO char *layout = bhyve_escape(s->keyboard_layout);

		bhyve_add_option(&b->out, "-K", layout, "keyboard.layout", s->keyboard_layout);
	}
	if (s->pc_testdev && has(b, "pc_testdev", 13))
		bhyve_add_option(&b->out, "-l", "pc-testdev", "lpc.pc-testdev", "true");
	add_domains(b);
	add_fwcfg(b);
	add_smbios(b);
}
