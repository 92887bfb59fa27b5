/*
 * nvme: an NVMe controller with one name space, a disk or memory.  Facts: bhyve's pci_nvme.c; runs
 * of QEMU's nvme and nvme-ns.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "device/disk.h"
#include "device/qemu_words.h"
#include "device/value_schema.h"

#define MAX_RAM 1048576 /* MiB */
#define MAX_QUEUES 16	/* bhyve takes a larger number for 16 */
/* The controller announces the size of its queues minus one, in 16 bits, and NVMe forbids 0. */
#define MIN_ENTRIES 2
#define MAX_ENTRIES 65536
#define MAX_IOSLOTS 128 /* requests that the block backend can queue (block_if.h) */

/* Whether the guest may discard blocks. */
enum dsm { DSM_UNSET, DSM_AUTO, DSM_ENABLE, DSM_DISABLE, DSMS };

static const char *const dsm_choices[] = {
	[DSM_UNSET] = "",
	[DSM_AUTO] = "auto",
	[DSM_ENABLE] = "enable",
	[DSM_DISABLE] = "disable",
	[DSMS] = NULL,
};

_Static_assert(
    sizeof(dsm_choices) / sizeof(dsm_choices[0]) == DSMS + 1, "a word for each, and a NULL");

struct nvme {
	struct disk disk;		 /* its path is NULL for memory */
	int64_t ram, maxq, qsz, ioslots; /* 0: unset */
	int64_t sectsz;			 /* bytes; 0: the disk's */
	uint64_t eui64;			 /* 0: made by the hypervisor */
	int dsm;			 /* enum dsm */
};

static const int64_t sector_sizes[] = { 512, 4096, 8192 };

enum { SECTOR_SIZES = sizeof(sector_sizes) / sizeof(sector_sizes[0]) };

static void sectsz_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	int64_t size;

	if (!field_integer(value, sector_sizes[0], sector_sizes[SECTOR_SIZES - 1], &size, at, d))
		return;
	for (size_t i = 0; i < SECTOR_SIZES; i++) {
		if (sector_sizes[i] == size) {
			*(int64_t *)into = size;
			return;
		}
	}
	report_add(d->report, STATUS_SPEC, at,
	    "invalid sector size %" PRId64 ": expected 512, 4096 or 8192", size);
}

static void sectsz_print(const void *from, struct str *json)
{
	field_print_integer(*(const int64_t *)from, 0, json);
}

static void sectsz_schema(struct str *s)
{
	json_begin_list(s, "enum");
	for (size_t i = 0; i < SECTOR_SIZES; i++)
		json_add_int(s, NULL, sector_sizes[i]);
	json_end_list(s);
}

DESCRIBES(sectsz_custom, int64_t);
static const struct field_custom sectsz_custom = {
	.parse = sectsz_parse,
	.print = sectsz_print,
	.type = "512|4096|8192",
	.schema = sectsz_schema,
	.host.kind = HOST_NONE,
};

/* Reads "0x..." or decimal digits of at most 64 bits.  Returns 0 for anything else. */
static uint64_t read_eui64(const char *text)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	unsigned long long value;

	if (n == 0 || digits[n] != '\0')
		return 0;
	errno = 0;
	value = strtoull(digits, NULL, hex ? 16 : 10);
	return errno == 0 ? value : 0;
}

/*
 * Reads an identifier.  Integers of JSON beyond 63 bits have their digits, those that Lua reads
 * from 0x... are negative; Lua itself does not tell -1 from 0xffffffffffffffff.
 */
static void eui64_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	uint64_t bits = 0;

	if (value->kind == NODE_STRING) {
		const char *text = field_text(value, at, d);

		if (text == NULL)
			return;
		bits = read_eui64(text);
	} else if (value->kind == NODE_NUMBER && value->text != NULL) {
		bits = read_eui64(value->text);
	} else if (value->kind == NODE_INT) {
		bits = value->has_minus ? 0 : (uint64_t)value->integer;
	} else {
		field_type_error(value, "an integer or a string \"0x...\"", at, d);
		return;
	}
	if (bits == 0)
		report_add(d->report, STATUS_SPEC, at,
		    "invalid EUI-64: expected 64 bits that are not all 0, as in "
		    "\"0x589cfc0000000001\"");
	else
		*(uint64_t *)into = bits;
}

static void eui64_print(const void *from, struct str *json)
{
	uint64_t bits = *(const uint64_t *)from;

	if (bits == 0)
		json_add_null(json, NULL);
	else
		json_add_textf(json, NULL, "0x%016" PRIx64, bits);
}

static void eui64_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	json_add_text(s, "type", "integer");
	json_add_int(s, "minimum", 1);
	json_end_object(s);
	json_begin_object(s, NULL);
	schema_add_pattern(s, "^(0[xX]0*[1-9A-Fa-f][0-9A-Fa-f]{0,15}|0*[1-9][0-9]{0,19})$");
	json_end_object(s);
	json_end_list(s);
}

DESCRIBES(eui64_custom, uint64_t);
static const struct field_custom eui64_custom = {
	.parse = eui64_parse,
	.print = eui64_print,
	.type = "integer|string",
	.schema = eui64_schema,
	.host.kind = HOST_NONE,
};

/* clang-format off */
DESCRIBES(nvme_fields, struct nvme);
static const struct field nvme_fields[] = {
	DISK_PATH_ROW(struct nvme, disk., false),
	ROW_INT("ram", struct nvme, ram, .has_range = true, .min = 1, .max = MAX_RAM,
	    .help = "instead of path: MiB of memory, empty at each boot"),
	ROW_INT("maxq", struct nvme, maxq, .has_range = true, .min = 1, .max = MAX_QUEUES,
	    .help = "number of queue pairs"),
	ROW_INT("qsz", struct nvme, qsz, .has_range = true, .min = MIN_ENTRIES,
	    .max = MAX_ENTRIES, .qemu = KEY_IGNORED, .help = "entries per queue"),
	ROW_INT("ioslots", struct nvme, ioslots, .has_range = true, .min = 1,
	    .max = MAX_IOSLOTS, .qemu = KEY_IGNORED, .help = "number of concurrent requests"),
	ROW_CUSTOM("sectsz", struct nvme, sectsz, sectsz_custom,
	    .help = "sector size: bytes; 512, 4096 or 8192"),
	ROW_CUSTOM("eui64", struct nvme, eui64, eui64_custom,
	    .help = "identifier of the namespace: 64 bits"),
	ROW_CHOICE("dsm", struct nvme, dsm, dsm_choices,
	    .help = "discarding of blocks by the guest: auto, enable or disable"),
	DISK_ROWS(struct nvme, disk., NULL, NULL, NULL),
	{ 0 },
};
/* clang-format on */

/* The keys of the block backend, which memory does not have. */
static const char *const backend_keys[] = { "format", "nocache", "direct", "ro", "nodelete",
	"logical_sector_size", "physical_sector_size" };

#define BACKEND_KEYS (sizeof(backend_keys) / sizeof(backend_keys[0]))

/* Refuses them. */
static void check_memory(const struct nvme *nvme, const struct where *at, struct decoder *d)
{
	const struct disk *disk = &nvme->disk;
	const bool given[BACKEND_KEYS] = { disk->format != FORMAT_RAW, disk->nocache, disk->direct,
		disk->ro, disk->nodelete, disk->logical != 0, disk->physical != 0 };

	for (size_t i = 0; i < BACKEND_KEYS; i++) {
		struct where here = { at, backend_keys[i], 0 };

		if (given[i])
			report_add(d->report, STATUS_SPEC, &here,
			    "\"ram\" is memory, not a disk: this key belongs to \"path\"");
	}
}

/*
 * Refuses sector sizes that differ: the guest learns only one of them, and bhyve would drop the
 * rest.
 */
static void check_sectors(const struct nvme *nvme, const struct where *at, struct decoder *d)
{
	int64_t size = nvme->sectsz != 0 ? nvme->sectsz : nvme->disk.logical;
	const struct {
		const char *key;
		int64_t size;
	} keys[] = {
		{ "logical_sector_size", nvme->disk.logical },
		{ "physical_sector_size", nvme->disk.physical },
	};

	disk_check(&nvme->disk, at, d);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct where here = { at, keys[i].key, 0 };

		if (size != 0 && keys[i].size != 0 && keys[i].size != size)
			report_add(d->report, STATUS_SPEC, &here,
			    "nvme has one sector size, which is %" PRId64 " here, not %" PRId64,
			    size, keys[i].size);
	}
}

static void nvme_check(const struct device *dev, const struct where *at, struct decoder *d)
{
	const struct nvme *nvme = dev->config;
	struct where ram = { at, "ram", 0 };

	if (nvme->disk.path == NULL && nvme->ram == 0)
		report_add(d->report, STATUS_SPEC, at,
		    "\"path\" or \"ram\" is missing: a disk, or MiB of memory");
	else if (nvme->disk.path != NULL && nvme->ram != 0)
		report_add(d->report, STATUS_SPEC, &ram,
		    "this key and \"path\" exclude each other: remove one");
	else if (nvme->ram != 0)
		check_memory(nvme, at, d);
	else
		check_sectors(nvme, at, d);
}

static void nvme_claims(const struct device *dev, struct pairs *claims)
{
	disk_claim(dev->config, claims);
}

static void nvme_needs(const struct device *dev, struct needs *needs)
{
	const struct nvme *nvme = dev->config;

	if (nvme->disk.path != NULL)
		disk_need(&nvme->disk, false, "path", needs);
}

static void add_number(struct pairs *vars, const char *key, int64_t value)
{
	if (value != 0)
		pairs_addf(vars, key, "%" PRId64, value);
}

static int nvme_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct nvme *nvme = dev->config;
	int rc;

	pairs_add(vars, "device", "nvme");
	add_number(vars, "ram", nvme->ram);
	rc = disk_bhyve(&nvme->disk, "", host, vars, err);
	add_number(vars, "maxq", nvme->maxq);
	add_number(vars, "qsz", nvme->qsz);
	add_number(vars, "ioslots", nvme->ioslots);
	add_number(vars, "sectsz", nvme->sectsz);
	if (nvme->eui64 != 0)
		pairs_addf(vars, "eui64", "0x%016" PRIx64, nvme->eui64);
	if (nvme->dsm != DSM_UNSET)
		pairs_add(vars, "dsm", dsm_choices[nvme->dsm]);
	return rc;
}

/* Adds memory as a disk.  Writes go to an unnamed overlay, which disappears with qemu. */
static void add_memory(const struct nvme *nvme, const char *node, struct words *argv)
{
	qemu_begin(argv, "-drive", NULL);
	qemu_pair(argv, "if", "none");
	qemu_pair(argv, "id", node);
	qemu_pair(argv, "driver", "null-co");
	qemu_pairf(argv, "size", "%" PRId64 "M", nvme->ram);
	qemu_pair(argv, "read-zeroes", "on");
	qemu_pair(argv, "snapshot", "on");
}

static void add_namespace(const struct device *dev, const char *node, struct words *argv)
{
	const struct nvme *nvme = dev->config;
	int64_t size = nvme->sectsz != 0 ? nvme->sectsz : nvme->disk.logical;

	qemu_begin(argv, "-device", "nvme-ns");
	qemu_pair(argv, "bus", dev->id);
	qemu_pair(argv, "drive", node);
	/* bhyve's memory has sectors of 4 KiB. */
	disk_qemu_sectors(size == 0 && nvme->ram != 0 ? 4096 : size, 0, argv);
	if (nvme->eui64 != 0)
		qemu_pairf(argv, "eui64", "0x%016" PRIx64, nvme->eui64);
	disk_qemu_backend(&nvme->disk, argv);
}

static int nvme_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct nvme *nvme = dev->config;
	MEM_AUTO char *node = disk_node(dev, 0);
	struct disk disk = nvme->disk;

	(void)err;
	disk.nodelete = disk.nodelete || nvme->dsm == DSM_DISABLE;
	if (nvme->ram != 0)
		add_memory(nvme, node, q->argv);
	else
		disk_blockdev(&disk, q, node, disk.ro);
	qemu_begin(q->argv, "-device", "nvme");
	qemu_pair(q->argv, "id", dev->id);
	if (nvme->disk.ser != NULL)
		qemu_pair(q->argv, "serial", nvme->disk.ser);
	else /* as bhyve makes it */
		qemu_pairf(q->argv, "serial", "NVME-%d-%d", dev->slot.slot, dev->slot.function);
	qemu_address(q, dev);
	if (nvme->maxq != 0)
		qemu_pairf(q->argv, "max_ioqpairs", "%" PRId64, nvme->maxq);
	add_namespace(dev, node, q->argv);
	if (nvme->qsz != 0 || nvme->ioslots != 0)
		words_addf(q->notes, "%s: qemu chooses \"qsz\" and \"ioslots\" itself", dev->id);
	return 0;
}

/* Drops a sector size that is valid, but not this one. */
static void drop_other(struct node *entry, const char *key, int64_t size)
{
	const struct node *value = node_get(entry, key);
	int64_t number = value == NULL || value->kind != NODE_INT ? 0 : value->integer;

	if (number >= sector_sizes[0] && (number & (number - 1)) == 0 && number != size)
		node_free(node_take(entry, key));
}

/*
 * Leaves to `config` what bhyve ignores: the keys of a disk beside memory, and sector sizes that
 * the guest does not learn.
 */
static bool nvme_read(const struct pairs *vars, const char *directory, struct node *entry)
{
	const struct node *sectsz = node_get(entry, "sectsz");
	const struct node *size = sectsz != NULL ? sectsz : node_get(entry, "logical_sector_size");
	int64_t number = size == NULL || size->kind != NODE_INT ? 0 : size->integer;

	(void)vars;
	(void)directory;
	for (size_t i = 0; i < BACKEND_KEYS && node_get(entry, "ram") != NULL; i++)
		node_free(node_take(entry, backend_keys[i]));
	drop_other(entry, "physical_sector_size", number);
	drop_other(entry, "logical_sector_size", number);
	return true;
}

static const struct bhyve_form form = { .model = "nvme", .first = "path", .instead = "ram" };

const struct device_kind device_nvme = {
	.name = "nvme",
	.help = "NVMe disk",
	DEVICE_CONFIG(struct nvme, nvme_fields),
	.check = nvme_check,
	.form = &form,
	.read = nvme_read,
	.claims = nvme_claims,
	.needs = nvme_needs,
	.bhyve = nvme_bhyve,
	.qemu = nvme_qemu,
};
