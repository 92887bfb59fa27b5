/* The options of qemu for the guest itself.  Facts: QEMU's documentation and runs of QEMU 7.2. */
#include "hyper/qemu_plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/qemu_words.h"

/* Adds a memory domain; -numa needs one cpus= for each piece of "0-3,8". */
static void add_node(const struct numa_domain *domain, struct words *argv)
{
	MEM_AUTO char *cpus = mem_copy(domain->cpus);

	qemu_begin(argv, "-numa", "node");
	qemu_pairf(argv, "nodeid", "%" PRId64, domain->id);
	qemu_pairf(argv, "memdev", "ram%" PRId64, domain->id);
	for (char *piece = cpus, *comma; piece != NULL; piece = comma) {
		comma = strchr(piece, ',');
		if (comma != NULL)
			*comma++ = '\0';
		qemu_pair(argv, "cpus", piece);
	}
}

static void add_domains(const struct spec *spec, struct plan *plan)
{
	const struct numa_domain *domain = spec->numa.item;
	int64_t share = spec->numa.count == 0 ? 0 : spec->mem / (int64_t)spec->numa.count;

	for (size_t i = 0; i < spec->numa.count; i++) {
		qemu_begin(&plan->argv, "-object", "memory-backend-ram");
		qemu_pairf(&plan->argv, "id", "ram%" PRId64, domain[i].id);
		qemu_pairf(&plan->argv, "size", "%" PRId64 "B",
		    domain[i].size != 0 ? domain[i].size : share);
		add_node(&domain[i], &plan->argv);
		if (domain[i].domain_policy != NULL)
			words_addf(&plan->notes,
			    "domain_policy of domain %" PRId64 " is bhyve's: qemu ignores it",
			    domain[i].id);
	}
}

static void add_gdb(const struct spec *spec, struct plan *plan)
{
	const char *where = spec->gdb, *colon;
	MEM_AUTO char *host = NULL;
	bool v6;

	if (where == NULL)
		return;
	where += *where == 'w' ? 1 : 0;
	colon = strrchr(where, ':');
	/* Without an address, bhyve listens on loopback, qemu on all addresses. */
	host = colon == NULL ? mem_copy("localhost") : mem_copy_n(where, (size_t)(colon - where));
	v6 = strchr(host, ':') != NULL;
	words_add(&plan->argv, "-gdb");
	words_addf(&plan->argv, "tcp:%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "",
	    colon == NULL ? where : colon + 1);
}

static void add_fwcfg(const struct spec *spec, struct words *argv)
{
	const struct fwcfg_item *item = spec->fwcfg.item;

	for (size_t i = 0; i < spec->fwcfg.count; i++) {
		qemu_begin(argv, "-fw_cfg", NULL);
		qemu_pair(argv, "name", item[i].name);
		qemu_pair(argv, "file", item[i].file);
		qemu_pair(argv, "string", item[i].string);
	}
}

/* Groups and names of bhyve_config(5), and their types and names in QEMU's -smbios. */
static const struct {
	const char *group;
	int type;
	const char *names[8][2]; /* of bhyve and of QEMU; ends with a NULL */
} smbios_names[] = {
	{ "bios", 0,
	    { { "vendor", "vendor" }, { "version", "version" }, { "release_date", "date" } } },
	{ "system", 1,
	    { { "family_name", "family" }, { "manufacturer", "manufacturer" },
		{ "product_name", "product" }, { "serial_number", "serial" }, { "sku", "sku" },
		{ "version", "version" } } },
	{ "board", 2,
	    { { "manufacturer", "manufacturer" }, { "version", "version" },
		{ "product_name", "product" }, { "serial_number", "serial" },
		{ "asset_tag", "asset" }, { "location", "location" } } },
	{ "chassis", 3,
	    { { "manufacturer", "manufacturer" }, { "version", "version" },
		{ "serial_number", "serial" }, { "asset_tag", "asset" }, { "sku", "sku" } } },
};

/* Returns QEMU's name of the string, or NULL if it has none. */
static const char *smbios_name(size_t group, const char *key)
{
	for (size_t i = 0; smbios_names[group].names[i][0] != NULL; i++) {
		if (strcmp(smbios_names[group].names[i][0], key) == 0)
			return smbios_names[group].names[i][1];
	}
	return NULL;
}

static size_t smbios_group(const char *key)
{
	size_t i = 0;

	while (strcmp(smbios_names[i].group, key) != 0)
		i++;
	return i;
}

static void add_smbios(const struct spec *spec, struct words *argv)
{
	for (size_t g = 0; smbios_fields[g].key != NULL; g++) {
		const struct field *rows = smbios_fields[g].rows;
		size_t group = smbios_group(smbios_fields[g].key);

		for (size_t i = 0; rows[i].key != NULL; i++) {
			const char *value =
			    *(char *const *)((const char *)&spec->smbios + rows[i].offset);
			const char *name = smbios_name(group, rows[i].key);

			if (value == NULL)
				continue;
			qemu_begin(argv, "-smbios", NULL);
			qemu_pairf(argv, "type", "%d", smbios_names[group].type);
			qemu_pair(argv, name, value);
		}
	}
}

static void add_tpm(const struct spec *spec, const char *model, struct words *argv)
{
	const struct tpm *tpm = &spec->tpm;

	if (tpm->type == TPM_NONE)
		return;
	if (tpm->type == TPM_SWTPM) {
		qemu_begin(argv, "-chardev", "socket");
		qemu_pair(argv, "id", "tpm-socket");
		qemu_pair(argv, "path", tpm->path);
		qemu_begin(argv, "-tpmdev", "emulator");
		qemu_pair(argv, "id", "tpm");
		qemu_pair(argv, "chardev", "tpm-socket");
	} else {
		qemu_begin(argv, "-tpmdev", "passthrough");
		qemu_pair(argv, "id", "tpm");
		qemu_pair(argv, "path", tpm->path);
	}
	qemu_begin(argv, "-device", model);
	qemu_pair(argv, "tpmdev", "tpm");
}

/* Adds notes on keys for bhyve, which qemu ignores. */
static void note_ignored(const struct spec *spec, struct words *notes)
{
	for (const struct field *f = spec_fields; f->key != NULL; f++) {
		if (f->qemu != NULL && strcmp(f->qemu, KEY_IGNORED) == 0 &&
		    f->type != FIELD_OBJECT && spec_gives(spec, f->key))
			words_addf(notes, "%s is bhyve's: qemu ignores it", f->key);
	}
}

void qemu_add_guest(const struct spec *spec, const struct qemu_machine *machine, struct plan *plan)
{
	add_domains(spec, plan);
	add_gdb(spec, plan);
	add_fwcfg(spec, &plan->argv);
	add_smbios(spec, &plan->argv);
	add_tpm(spec, machine->tpm, &plan->argv);
	note_ignored(spec, &plan->notes);
}
