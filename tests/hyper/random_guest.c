/* Rolls the inside of a guest: pinned processors, memory domains, fw_cfg, SMBIOS, TPM. */
#include "random_roll.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

#define KIB INT64_C(1024)
#define PAGE 4096

static void roll_uuid(struct roll *r, const struct field *f)
{
	MEM_AUTO char *uuid = mem_format("%08x-%04X-4000-8000-%012x", random_below(1 << 30),
	    random_below(65536), random_below(1 << 30));
	bool given = one_in(2), none = !given && one_in(4);

	if (given)
		add_text(&r->spec->json, f->key, uuid);
	if (none)
		add_bool(&r->spec->json, f->key, false);
	promise(r, f->key, given ? uuid : none ? RANDOM_UNSET : RANDOM_ANY);
}

static void roll_layout(struct roll *r, const struct field *f)
{
	if (!r->spec->arm64 && one_in(3))
		roll_text(r, f->key, one_in(2) ? "de_noacc" : "us");
}

static void roll_testdev(struct roll *r, const struct field *f)
{
	if (!r->spec->arm64 && one_in(3))
		roll_plain(r, f);
}

/* Rolls pinned processors, each at most twice. */
static void roll_pin(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;

	if (one_in(2))
		return;
	add_key(&s->json, f->key);
	str_add(&s->json, "[");
	for (unsigned cpu = 0; cpu < (unsigned)s->cpus; cpu += 1 + random_below(3)) {
		unsigned first = random_below(64), second = random_below(64);
		bool both = one_in(3);
		MEM_AUTO char *key = mem_format("vcpu.%u.cpuset", cpu);

		add_key(&s->json, NULL);
		str_addf(&s->json, "\"%u:%u\"", cpu, first);
		if (both)
			str_addf(&s->json, ",\"%u:%u\"", cpu, second);
		pairs_addf(&s->vars, key, both ? "%u,%u" : "%u", first, second);
	}
	str_add(&s->json, "]");
}

static void add_domain(struct random_spec *s, unsigned id, unsigned count, bool sized)
{
	static const char *const policies[] = { "first-touch", "rr", "prefer:1",
		"interleave:0,1-3" };
	unsigned share = (unsigned)s->cpus / count, first = id * share;
	bool is_last = id + 1 == count;
	unsigned last = is_last ? (unsigned)s->cpus - 1 : first + share - 1;
	int64_t size = is_last ? s->mem - (count - 1) * PAGE : PAGE;
	const char *policy = policies[random_below(4)];
	MEM_AUTO char *below = mem_format("domains.%u.", id);
	MEM_AUTO char *cpus = mem_format(first == last ? "%u" : "%u-%u", first, last);
	MEM_AUTO char *cpus_key = mem_format("%scpus", below);
	MEM_AUTO char *size_key = mem_format("%ssize", below);
	MEM_AUTO char *policy_key = mem_format("%sdomain_policy", below);

	add_key(&s->json, NULL);
	str_add(&s->json, "{");
	add_number(&s->json, "id", id);
	add_text(&s->json, "cpus", cpus);
	pairs_add(&s->vars, cpus_key, cpus);
	if (sized) {
		add_number(&s->json, "size", size);
		pairs_addf(&s->vars, size_key,
		    size % (KIB * KIB) == 0 ? "%" PRId64 "M" : "%" PRId64 "K",
		    size % (KIB * KIB) == 0 ? size / KIB / KIB : size / KIB);
	}
	if (one_in(2)) {
		add_text(&s->json, "domain_policy", policy);
		pairs_add(&s->vars, policy_key, policy);
	}
	str_add(&s->json, "}");
}

/* Rolls memory domains, of which all or none have sizes. */
static void roll_numa(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	unsigned most = s->cpus < 8 ? (unsigned)s->cpus : 8, count;

	if (!s->numa)
		return;
	do {
		count = 1 + random_below(most);
	} while (s->mem / PAGE < count);
	add_key(&s->json, f->key);
	str_add(&s->json, "[");
	for (unsigned i = 0; i < count; i++)
		add_domain(s, i, count, s->mem % (count * PAGE) != 0 || count % 2 == 0);
	str_add(&s->json, "]");
}

/* Rolls the interface of fw_cfg; items and boot indices need QEMU's. */
static void roll_fwcfg_type(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;

	if (s->release < 14 || s->arm64 || one_in(2))
		return;
	s->fwcfg_type = s->fwcfg || s->indexable || one_in(2) ? "qemu" : "bhyve";
	add_text(&s->json, f->key, s->fwcfg_type);
}

static void roll_fwcfg(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;

	if (!s->fwcfg)
		return;
	add_key(&s->json, f->key);
	str_add(&s->json, "[");
	for (unsigned i = 0, n = 1 + random_below(3); i < n; i++) {
		MEM_AUTO char *name = mem_format("opt/n%u", i);
		MEM_AUTO char *value = odd_text(s, "/x", 5);

		add_key(&s->json, NULL);
		str_add(&s->json, "{");
		add_text(&s->json, "name", name);
		add_text(&s->json, one_in(2) ? "string" : "file", value);
		str_add(&s->json, "}");
	}
	str_add(&s->json, "]");
}

/* Rolls groups of texts, whose names are the same in spec and variables. */
static void roll_smbios(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;

	if (s->release < 14 || s->arm64 || one_in(2))
		return;
	add_key(&s->json, f->key);
	str_add(&s->json, "{");
	for (const struct field *group = f->rows; group->key != NULL; group++) {
		MEM_AUTO char *prefix = mem_format("%s.", group->key);
		struct roll inside = {
			.spec = s, .kind = "smbios", .prefix = prefix, .vars = &s->vars
		};

		add_key(&s->json, group->key);
		str_add(&s->json, "{");
		roll_rows(&inside, group->rows);
		str_add(&s->json, "}");
	}
	str_add(&s->json, "}");
}

static void roll_tpm(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	bool swtpm = s->release >= 15 && one_in(2);
	MEM_AUTO char *path = odd_text(s, "/tpm", 6);

	if (s->release < 14 || s->arm64 || one_in(2))
		return;
	add_key(&s->json, f->key);
	str_add(&s->json, "{");
	add_text(&s->json, "type", swtpm ? "swtpm" : "passthru");
	add_text(&s->json, "path", path);
	if (one_in(2))
		add_text(&s->json, "version", "2.0");
	if (swtpm && one_in(2))
		add_bool(&s->json, "managed", true);
	str_add(&s->json, "}");
	pairs_add(&s->vars, "tpm.type", swtpm ? "swtpm" : "passthru");
	pairs_add(&s->vars, "tpm.path", path);
	pairs_add(&s->vars, "tpm.version", "2.0");
}

const struct special guest_specials[] = {
	{ "spec", "uuid", roll_uuid },
	{ "spec", "keyboard_layout", roll_layout },
	{ "spec", "pc_testdev", roll_testdev },
	{ "spec", "pin", roll_pin },
	{ "spec", "numa", roll_numa },
	{ "spec", "fwcfg_type", roll_fwcfg_type },
	{ "spec", "fwcfg", roll_fwcfg },
	{ "spec", "smbios", roll_smbios },
	{ "spec", "tpm", roll_tpm },
	{ 0 },
};
