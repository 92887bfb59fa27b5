/* passthru: a PCI device of the host.  Facts: bhyve's pci_passthru.c, ppt(4); QEMU's vfio-pci. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/disk.h"
#include "device/qemu_words.h"

#define MAX_ADDRESS_DIGITS 3 /* of a bus, slot or function */
#define MAX_PPT_DIGITS 5

struct lookup {
	char *vendor, *device; /* 4 or 8 hex digits in lower case */
};

struct passthru {
	char *src; /* "B/S/F" or "pptN"; NULL: found by lookup */
	struct lookup lookup;
	char *rom;
	int64_t bootindex; /* -1: none */
};

/* Reads a number up to `max` at the start of *text, and moves *text behind it. */
static bool take_number(const char **text, long max, long *out)
{
	size_t n = strspn(*text, "0123456789");

	if (n < 1 || n > MAX_ADDRESS_DIGITS)
		return false;
	*out = strtol(*text, NULL, 10);
	*text += n;
	return *out <= max;
}

/* Reads bus, slot and function with the same separator between them and nothing behind them. */
static bool read_address(const char *text, struct slot *out)
{
	long bus, slot, function;
	char separator;

	if (!take_number(&text, SLOT_BUSES - 1, &bus) || (*text != ':' && *text != '/'))
		return false;
	separator = *text++;
	if (!take_number(&text, SLOT_SLOTS - 1, &slot) || *text++ != separator ||
	    !take_number(&text, SLOT_FUNCTIONS - 1, &function) || *text != '\0')
		return false;
	*out = (struct slot){ true, (int)bus, (int)slot, (int)function };
	return true;
}

static bool is_ppt(const char *text)
{
	const char *unit = str_after(text, "ppt");
	size_t digits;

	if (unit == NULL)
		return false;
	digits = strspn(unit, "0123456789");
	return digits > 0 && digits <= MAX_PPT_DIGITS && unit[digits] == '\0';
}

static void src_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d), *address;
	struct slot s;

	if (text == NULL)
		return;
	address = str_after(text, "pci0:");
	if (is_ppt(text))
		*(char **)into = mem_copy(text);
	else if (read_address(address != NULL ? address : text, &s))
		*(char **)into = mem_format("%d/%d/%d", s.bus, s.slot, s.function);
	else
		report_add(d->report, STATUS_SPEC, at,
		    "invalid PCI address \"%s\": expected BUS:SLOT:FUNCTION in decimal, with \"/\" "
		    "or \":\" between them, of domain 0, or a name such as \"ppt0\"",
		    text);
}

DESCRIBES(src_custom, char *);
static const struct field_custom src_custom = {
	.parse = src_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^(ppt[0-9]+|(pci0:)?[0-9]+:[0-9]+:[0-9]+|(pci0:)?[0-9]+/[0-9]+/[0-9]+)$",
	.host.kind = HOST_PCI,
};

static void id_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d), *digits = text;
	size_t n;
	char *id;

	if (text == NULL)
		return;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		digits += 2;
	n = strspn(digits, "0123456789abcdefABCDEF");
	if (digits[n] != '\0' || (n != 4 && n != 8)) {
		report_add(d->report, STATUS_SPEC, at,
		    "invalid id \"%s\": expected 8 hexadecimal digits, the id and then the "
		    "subsystem's, or 4, the id alone",
		    text);
		return;
	}
	id = mem_copy(digits);
	for (char *p = id; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	*(char **)into = id;
}

DESCRIBES(id_custom, char *);
static const struct field_custom id_custom = {
	.parse = id_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^(0[xX])?([0-9A-Fa-f]{4}){1,2}$",
	.host.kind = HOST_NONE,
};

/* clang-format off */
DESCRIBES(lookup_fields, struct lookup);
static const struct field lookup_fields[] = {
	ROW_CUSTOM("vendor", struct lookup, vendor, id_custom, .required = true,
	    .help = "vendor id, 4 hexadecimal digits, or vendor and subvendor, 8"),
	ROW_CUSTOM("device", struct lookup, device, id_custom, .required = true,
	    .help = "device id, 4 hexadecimal digits, or device and subdevice, 8"),
	{ 0 },
};

DESCRIBES(passthru_fields, struct passthru);
static const struct field passthru_fields[] = {
	ROW_CUSTOM("src", struct passthru, src, src_custom, .qemu = "an address",
	    .variable = "pptdev",
	    .help = "host address (3:0:0) or name (ppt0) of the device"),
	ROW_OBJECT("lookup", struct passthru, lookup, lookup_fields, .qemu = KEY_REFUSED,
	    .variable = "",
	    .host = { .kind = HOST_FORBIDDEN, .reaches = "takes any matching device (\"src\" names one)" },
	    .help = "instead of src: ids by which vmrun finds the device"),
	ROW_PATH("rom", struct passthru, rom, .host.kind = HOST_PATH,
	    .help = "file with the option ROM of the device"),
	ROW_CUSTOM("bootindex", struct passthru, bootindex, disk_number_custom, .unset = -1,
	    .bhyve = KEY_IGNORED, .variable = "",
	    .help = "place in the boot order, 0 to 65535, lowest first"),
	{ 0 },
};
/* clang-format on */

static void passthru_check(const struct device *dev, const struct where *at, struct decoder *d)
{
	const struct passthru *pass = dev->config;
	struct where lookup = { at, "lookup", 0 };

	if (pass->src == NULL && pass->lookup.vendor == NULL)
		report_add(d->report, STATUS_SPEC, at,
		    "\"src\" or \"lookup\" is missing: an address such as 3:0:0, or ids to look "
		    "for");
	else if (pass->src != NULL && pass->lookup.vendor != NULL)
		report_add(d->report, STATUS_SPEC, &lookup,
		    "this key and \"src\" exclude each other: remove one");
}

static const char *passthru_placeholder(const struct device *dev)
{
	return ((const struct passthru *)dev->config)->src == NULL ? "pptAUTO" : NULL;
}

/* Returns the device's "B/S/F" or its name. */
static const char *source(const struct device *dev)
{
	const char *src = ((const struct passthru *)dev->config)->src;

	return src != NULL ? src : device_found(dev);
}

static void passthru_claims(const struct device *dev, struct pairs *claims)
{
	const struct passthru *pass = dev->config;

	if (pass->bootindex >= 0)
		pairs_addf(claims, CLAIM_BOOT_INDEX, "%" PRId64, pass->bootindex);
}

static void passthru_needs(const struct device *dev, struct needs *needs)
{
	const struct passthru *pass = dev->config;

	if (pass->src != NULL) {
		(void)needs_add(needs, NEED_PCI, "src", pass->src);
	} else if (dev->found != NULL) {
		(void)needs_add(needs, NEED_PCI, "lookup", dev->found);
	} else {
		MEM_AUTO char *ids =
		    mem_format(NEED_LOOKUP "%s %s", pass->lookup.vendor, pass->lookup.device);

		(void)needs_add(needs, NEED_PCI, "lookup", ids);
	}
	if (pass->rom != NULL)
		(void)needs_add(needs, NEED_FILE, "rom", pass->rom);
}

static int passthru_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct passthru *pass = dev->config;
	struct slot s;

	pairs_add(vars, "device", "passthru");
	if (read_address(source(dev), &s)) {
		pairs_addf(vars, "bus", "%d", s.bus);
		pairs_addf(vars, "slot", "%d", s.slot);
		pairs_addf(vars, "func", "%d", s.function);
	} else {
		pairs_add(vars, "pptdev", source(dev));
	}
	if (pass->rom != NULL) {
		pairs_add(vars, "rom", pass->rom);
		if (device_since(host, "rom", 14, err) != 0)
			return -1;
	}
	/* bhyve(8) has the key, but no text of pci_passthru.c reads the variable. */
	if (pass->bootindex >= 0)
		words_addf(host->notes,
		    "%s: \"bootindex\" has no effect, because bhyve does not read the boot index "
		    "of a passthru device",
		    dev->id);
	return 0;
}

static int passthru_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct passthru *pass = dev->config;
	struct slot s;

	if (pass->src == NULL)
		return error_set(err, STATUS_SPEC,
		    "\"lookup\" asks FreeBSD's pciconf(8): give the address of the device in "
		    "\"src\"");
	if (!read_address(pass->src, &s))
		return error_set(err, STATUS_SPEC,
		    "%s is a name of FreeBSD's ppt(4): give the address of the device in \"src\"",
		    pass->src);
	qemu_begin(q->argv, "-device", "vfio-pci");
	qemu_pair(q->argv, "id", dev->id);
	qemu_pairf(q->argv, "host", "0000:%02x:%02x.%x", (unsigned)s.bus, (unsigned)s.slot,
	    (unsigned)s.function);
	qemu_address(q, dev);
	qemu_pair(q->argv, "romfile", pass->rom);
	disk_qemu_bootindex(pass->bootindex, q->argv);
	return 0;
}

/* Reads the address of the device, which has a variable for each of its numbers. */
static bool passthru_read(const struct pairs *vars, const char *directory, struct node *entry)
{
	const char *bus = pairs_get(vars, "bus"), *slot = pairs_get(vars, "slot");
	const char *function = pairs_get(vars, "func");

	(void)directory;
	if (bus != NULL && slot != NULL && function != NULL) {
		MEM_AUTO char *address = mem_format("%s:%s:%s", bus, slot, function);

		node_put(entry, "src", node_string(address));
	}
	return true;
}

static const char *const address_keys[] = { "bus", "slot", "func", NULL };
static const struct bhyve_form form = {
	.model = "passthru", .first = "pptdev", .joined = address_keys
};

const struct device_kind device_passthru = {
	.name = "passthru",
	.help = "PCI device of the host",
	.amd64_only = true,
	.wired = true,
	.no_boot_order = true,
	DEVICE_CONFIG(struct passthru, passthru_fields),
	.check = passthru_check,
	.form = &form,
	.claims = passthru_claims,
	.needs = passthru_needs,
	.placeholder = passthru_placeholder,
	.bhyve = passthru_bhyve,
	.read = passthru_read,
	.qemu = passthru_qemu,
};
